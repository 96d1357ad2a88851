/* Lines of the log. Owns nothing, the sink is the caller's. Invariant: a line is written whole, by one call. Any thread. */
#include "base/log.h"

#include <stdarg.h>

void wf_log_write(const wf_log *log, wf_log_level level, const char *format, ...)
{
    if (!log || !log->sink || level > log->level) return;
    static const char *const labels[] = {"error", "warning", "info", "debug"};
    char line[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    /* One call per line, so that lines of several threads and ranks do not mix. */
    if (log->rank >= 0)
        fprintf(log->sink, "weft[%d]: %s: %s\n", log->rank, labels[level], line);
    else
        fprintf(log->sink, "weft: %s: %s\n", labels[level], line);
}
