/* Task graphs as weft's layers. */
#ifndef TASKBENCH_LAYERS_H
#define TASKBENCH_LAYERS_H

#include <weft/session.h>

#include "measure.h"

/* Runs the job once: bench_system.run, context is the weft_session.
 *
 * How every task is seen to run exactly once. A task's output carries a digest of its place and of its inputs' digests, so right digests in
 * the last row prove that all tasks before it that lead there ran, on the right inputs, at least once. Tasks whose output nobody takes
 * (trivial, tree) lead nowhere: in a watched run further tasks take those outputs, and their sums prove the same. Then the number of tasks
 * that weft says have ended must be exactly that of the graph, so that none can have run twice. In other runs of such patterns, that number
 * alone speaks for the tasks that lead nowhere, since watching them would change what is timed.
 *
 * Errors:   WEFT_EDATA a wrong input or output, or a wrong number of tasks; those of weft.
 */
weft_status bench_layers_run(void *session, const bench_job *job, bool is_watched, double *seconds, weft_error *err);

#endif
