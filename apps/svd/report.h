/* What the program prints on stdout: a summary for people, or JSON. */
#ifndef SVD_REPORT_H
#define SVD_REPORT_H

#include "check.h"
#include "output.h"

typedef struct svd_report {
    const svd_matrix *matrix;
    const svd_decomposition *made;
    const svd_check *check;
    const svd_output *output;
    weft_session_info session;
    double read_seconds; /* looking at the input file; its numbers are read while computing */
    uint64_t peak_rss_bytes;
} svd_report;

/* Errors: WEFT_ENOMEM. What stdout could not take is found by whoever closes it. */
weft_status svd_report_print_json(const svd_report *report, weft_error *err);
void svd_report_print_summary(const svd_report *report);

#endif
