/* How well the decomposition stands for X, which is read or made anew for it. */
#ifndef SVD_CHECK_H
#define SVD_CHECK_H

#include "decompose.h"

typedef struct svd_check {
    bool is_done;
    double residual;      /* ||X - U diag(S) V^T|| / ||X||, Frobenius */
    double orthogonality; /* max |U^T U - I| */
} svd_check;

/* Errors: those of the graph's functions and of its tasks. */
weft_status svd_check_run(const svd_matrix *matrix, const svd_decomposition *made, weft_session *session, svd_check *check,
                          weft_error *err);

#endif
