/* A look at Slurm's PMI-2 server, there under `srun --mpi=pmi2`: who we are and how ranks lie on nodes. libpmi2 is loaded only then, so it
 * is needed neither to build nor to run. */
#ifndef WF_TRANSPORT_PMI2_PROBE_H
#define WF_TRANSPORT_PMI2_PROBE_H

#include <stdint.h>

#include <weft/status.h>

typedef struct wf_pmi2 {
    int rank, size;
    int node_count;  /* nodes with ranks; -1 unknown */
    char job_id[64]; /* job and step, "4.0" */
} wf_pmi2;

/* Asks the server whose socket PMI_FD names. The connection is closed again: at most once in a process, and not where somebody else needs
 * it afterwards.
 *
 * Errors:   WEFT_EUNSUPPORTED no PMI_FD, one that is no connected socket, no libpmi2, or a build without its header; WEFT_ELAUNCH the
 *           server refused.
 * Threads:  one at a time.
 */
weft_status wf_pmi2_probe(wf_pmi2 *pmi2, weft_error *err);

/* Reads a PMI_process_mapping, "(vector,(first node,nodes,ranks per node),...)", which starts over when it ends before the ranks do.
 * node_of_rank has room for rank_count and may be NULL, as may node_count, the number of different nodes.
 * Errors: WEFT_EDATA malformed, or a mapping that places no rank; WEFT_ENOMEM. Outputs are unchanged then. */
weft_status wf_pmi2_mapping_parse(const char *text, int rank_count, int32_t *node_of_rank, int *node_count, weft_error *err);

#endif
