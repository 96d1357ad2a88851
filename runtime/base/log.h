/* The log: lines for people who look into what a rank did. Silent until given a sink; one line per state change, never per task.
 * A line is fixed words first, then key=value: "worker ready rank=2 threads=8". Threads: wf_log_write is safe from any. */
#ifndef WF_BASE_LOG_H
#define WF_BASE_LOG_H

#include <stdio.h>

#include <weft/status.h>

typedef enum wf_log_level { WF_LOG_ERROR, WF_LOG_WARNING, WF_LOG_INFO, WF_LOG_DEBUG } wf_log_level;

typedef struct wf_log {
    FILE *sink;          /* NULL: silent */
    wf_log_level level;  /* lines above it are dropped */
    int rank;            /* printed before each line when not negative */
} wf_log;

void wf_log_write(const wf_log *log, wf_log_level level, const char *format, ...) WEFT_PRINTF(3, 4);

#endif
