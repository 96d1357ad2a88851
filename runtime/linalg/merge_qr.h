/* QR of triangles stacked on each other, a node of the tree above the chunks, and its orthogonal factor applied. Any thread; nothing is
 * allocated. */
#ifndef WF_LINALG_MERGE_QR_H
#define WF_LINALG_MERGE_QR_H

#include <stddef.h>
#include <stdint.h>

size_t wf_merge_qr_scratch_bytes(int64_t cols);

/* [r_0; ...; r_(count-1)] = Q r. The triangles are (cols, cols), column-major, with zeros below. v (count - 1, cols, cols) and tau
 * (count - 1, cols) get Q. v == NULL: only r is computed; tau is then unused. */
void wf_merge_qr(int64_t cols, int64_t count, const double *const *triangles, double *v, double *tau, double *r, void *scratch);

size_t wf_merge_q_scratch_bytes(int64_t cols, int64_t k);

/* [parts_0; ...; parts_(count-1)] = Q c; c and every part (cols, k), row-major. No part may overlap c or v. */
void wf_merge_q_apply(int64_t cols, int64_t count, const double *v, const double *tau, const double *c, int64_t k, double *const *parts,
                      void *scratch);

#endif
