#include "graph/partition.h"

#include <stdbool.h>
#include <string.h>

#include "random_graph.h"
#include "weft_test.h"

enum { ROUNDS = 200, FUZZ_ROUNDS = 12, MAX_ROOTS = 4, MAX_WORKERS = 5 };

static const uint64_t graph_id = 4711;

/* A random graph with its plan and partitions. */
typedef struct fixture {
    weft_graph *graph;
    weft_ref roots[MAX_ROOTS];
    size_t root_count;
    wf_plan plan;
    wf_partition_set set;
    wf_partition *views; /* by partition; no header where there are no tasks */
} fixture;

static void setup(fixture *f, random_source *r, size_t max_tasks, uint32_t root_flags)
{
    wf_plan_worker workers[MAX_WORKERS];
    weft_error err = WEFT_ERROR_INIT;
    size_t worker_count = 1 + random_below(r, MAX_WORKERS);
    for (size_t w = 0; w < worker_count; w++) workers[w] = (wf_plan_worker){1 + (int)w, 1 + (int)random_below(r, 4)};
    f->graph = random_graph(r, 1 + random_below(r, max_tasks), (int)worker_count);
    f->root_count = random_roots(r, f->graph, f->roots, MAX_ROOTS);
    wf_plan_options options = {workers, worker_count, 1 + random_below(r, 3), random_below(r, 2) ? WF_CUT_AUTO : WF_CUT_GREEDY};
    if (wf_plan_init(&f->plan, f->graph, f->roots, f->root_count, &options, &err))
        CU_FAIL_FATAL(err.text);
    if (wf_partition_set_init(&f->set, f->graph, &f->plan, graph_id, f->roots, f->root_count, root_flags, &err)) CU_FAIL_FATAL(err.text);
    CU_ASSERT_EQUAL_FATAL(f->set.count, f->plan.partition_count);
    f->views = calloc(f->set.count, sizeof *f->views);
    CU_ASSERT_PTR_NOT_NULL_FATAL(f->views);
    for (uint32_t p = 0; p < f->set.count; p++) {
        if (f->set.bytes[p] && wf_partition_view(f->set.bytes[p], f->set.size_bytes[p], &f->views[p], &err)) CU_FAIL_FATAL(err.text);
    }
}

static void teardown(fixture *f)
{
    free(f->views);
    wf_partition_set_fini(&f->set);
    wf_plan_fini(&f->plan);
    weft_graph_destroy(f->graph);
}

/* The ref of the chunk that a slot awaits, found the slow way: through the tasks' own ranges. */
static uint64_t ref_of_slot(const wf_partition *v, uint32_t slot)
{
    if (slot >= v->header->output_count) return v->imports[slot - v->header->output_count];
    for (uint32_t t = 0; t < v->header->task_count; t++) {
        if (slot >= v->tasks[t].output_begin && slot < v->tasks[t + 1].output_begin)
            return v->task_refs[t] + (slot - v->tasks[t].output_begin);
    }
    CU_FAIL("an output slot of no task");
    return UINT64_MAX;
}

static bool imports_ref(const wf_partition *v, uint64_t ref)
{
    for (uint32_t i = 0; v->header && i < v->header->import_count; i++) {
        if (v->imports[i] == ref) return true;
    }
    return false;
}

static bool list_has(const uint32_t *list, uint32_t begin, uint32_t end, uint32_t item)
{
    for (uint32_t i = begin; i < end; i++) {
        if (list[i] == item) return true;
    }
    return false;
}

static bool is_root(const fixture *f, uint64_t ref)
{
    for (size_t i = 0; i < f->root_count; i++) {
        if (f->roots[i].value == ref) return true;
    }
    return false;
}

/* ---- what the graph said is what the partitions say; each returns how much differs ---- */

static size_t wrong_inputs(const fixture *f, const wf_partition *v, uint32_t t)
{
    const wf_graph_task *task = &f->graph->tasks[wf_ref_task(v->task_refs[t])];
    size_t wrong = 0, count = task[1].input_begin - task->input_begin;
    if (v->tasks[t + 1].input_begin - v->tasks[t].input_begin != count) return 1;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t slot = v->inputs[v->tasks[t].input_begin + i];
        uint64_t ref = f->graph->inputs[task->input_begin + i];
        bool is_own = f->plan.partition[wf_ref_task(ref)] == v->header->partition;
        wrong += ref_of_slot(v, slot) != ref || (slot < v->header->output_count) != is_own;
    }
    return wrong;
}

static size_t wrong_outputs(const fixture *f, const wf_partition *v, uint32_t t, uint32_t root_flags)
{
    size_t wrong = 0;
    uint64_t first = v->task_refs[t];
    uint32_t begin = v->tasks[t].output_begin, count = v->tasks[t + 1].output_begin - begin;
    if (count != wf_graph_output_count(f->graph, wf_ref_task(first))) return 1;
    for (uint32_t o = 0; o < count; o++) {
        const wf_partition_output *output = &v->outputs[begin + o];
        size_t importers = 0;
        wrong += output->flags != (is_root(f, first + o) ? root_flags : 0);
        for (uint32_t p = 0; p < f->set.count; p++) {
            bool imports = imports_ref(&f->views[p], first + o);
            importers += imports;
            wrong += imports != list_has(v->exports, output->export_begin, output[1].export_begin, p);
        }
        wrong += importers != output[1].export_begin - output->export_begin;
    }
    return wrong;
}

static size_t wrong_task(const fixture *f, const wf_partition *v, uint32_t t)
{
    const wf_partition_task *entry = &v->tasks[t];
    uint64_t index = wf_ref_task(v->task_refs[t]);
    const wf_graph_task *task = &f->graph->tasks[index];
    return (size_t)(wf_ref_output(v->task_refs[t]) != 0) + (f->plan.partition[index] != v->header->partition) +
           (t > 0 && f->plan.order[index] <= f->plan.order[wf_ref_task(v->task_refs[t - 1])]) + (entry->kernel != task->kernel) + (entry->param_bytes != task->param_bytes) +
           (task->param_bytes &&
            memcmp(v->params + entry->param_begin, f->graph->params + task->param_begin, task->param_bytes) != 0) +
           ((uintptr_t)(v->params + entry->param_begin) % 16 != 0) + ((entry->key != 0) != (task->key != 0)) +
           (strcmp(v->keys + entry->key, f->graph->keys + task->key) != 0);
}

static void partitions_hold_the_graphs_tasks_edges_and_roots(void)
{
    random_source r = random_begin();
    for (int round = 0; round < ROUNDS; round++) {
        fixture f;
        size_t wrong = 0, tasks = 0, edges = 0, needed_edges = 0;
        uint32_t root_flags = round % 2 ? WF_OUTPUT_KEEP : WF_OUTPUT_GATHER;
        setup(&f, &r, 200, root_flags);
        unsigned char *seen = calloc(f.graph->task_count, 1);
        CU_ASSERT_PTR_NOT_NULL_FATAL(seen);
        for (uint32_t p = 0; p < f.set.count; p++) {
            const wf_partition *v = &f.views[p];
            if (!v->header) continue;
            wrong += v->header->graph != graph_id || v->header->partition != p || v->header->task_count == 0;
            for (uint32_t t = 0; t < v->header->task_count; t++) {
                wrong += seen[wf_ref_task(v->task_refs[t])]++;
                wrong += wrong_task(&f, v, t) + wrong_inputs(&f, v, t) + wrong_outputs(&f, v, t, root_flags);
            }
            for (uint32_t i = 0; i < v->header->import_count; i++)
                wrong += !list_has(v->inputs, 0, v->header->input_count, v->header->output_count + i);
            tasks += v->header->task_count;
            edges += v->header->input_count;
        }
        for (size_t t = 0; t < f.graph->task_count; t++)
            needed_edges += f.plan.partition[t] != WF_NO_PARTITION ? wf_graph_input_count(f.graph, t) : 0;
        CU_ASSERT_EQUAL(wrong, 0);
        CU_ASSERT_EQUAL(tasks, f.plan.needed_count);
        CU_ASSERT_EQUAL(edges, needed_edges);
        free(seen);
        teardown(&f);
    }
}

static void a_partition_without_tasks_has_no_bytes(void)
{
    static const wf_plan_worker workers[] = {{1, 1}, {2, 1}};
    fixture f = {.root_count = 1};
    CU_ASSERT_EQUAL_FATAL(weft_graph_create(&f.graph, NULL), WEFT_OK);
    CU_ASSERT_EQUAL_FATAL(weft_graph_add_task(f.graph, &random_kernels[0], NULL, 0, NULL, 0, f.roots, NULL), WEFT_OK);
    CU_ASSERT_EQUAL_FATAL(wf_plan_init(&f.plan, f.graph, f.roots, 1, &(wf_plan_options){workers, 2, 2, WF_CUT_AUTO}, NULL), WEFT_OK);
    CU_ASSERT_EQUAL_FATAL(wf_partition_set_init(&f.set, f.graph, &f.plan, 1, f.roots, 1, WF_OUTPUT_GATHER, NULL), WEFT_OK);
    size_t filled = 0;
    for (uint32_t p = 0; p < f.set.count; p++) {
        filled += f.set.bytes[p] != NULL;
        CU_ASSERT_EQUAL(f.set.bytes[p] == NULL, f.set.size_bytes[p] == 0);
    }
    CU_ASSERT_EQUAL(filled, 1);
    teardown(&f);
}

/* ---- damaged bytes ---- */

/* Bytes of their own, so that a sanitizer sees every step beyond them. */
static void *copy_of(const void *bytes, size_t size_bytes)
{
    void *copy = NULL;
    CU_ASSERT_EQUAL_FATAL(posix_memalign(&copy, 16, size_bytes ? size_bytes : 1), 0);
    memcpy(copy, bytes, size_bytes);
    return copy;
}

/* Reads all that a view offers, and runs its tasks in array order as if every import had come. Returns how much of what running relies
 * on does not hold: each input and output belongs to one task, and no task waits for itself or a later one. */
static size_t use(const wf_partition *v)
{
    volatile uint64_t sink;
    const wf_partition_header *h = v->header;
    size_t wrong = 0, inputs = 0, outputs = 0, exports = 0;
    uint64_t sum = 0;
    for (uint32_t t = 0; t < h->task_count; t++) {
        const wf_partition_task *task = &v->tasks[t];
        size_t own = task[1].output_begin - task->output_begin;
        wrong += own < 1 || own > WEFT_MAX_OUTPUTS || (task->kernel == WF_HELD_KERNEL && own != 1);
        wrong += task->output_begin != outputs || task->input_begin != inputs;
        for (uint32_t e = task->input_begin; e < task[1].input_begin; e++, inputs++) {
            wrong += v->inputs[e] < h->output_count ? v->inputs[e] >= outputs : v->inputs[e] - h->output_count >= h->import_count;
        }
        for (uint32_t i = 0; i < task->param_bytes; i++) sum += (unsigned char)v->params[task->param_begin + i];
        sum += strlen(v->keys + task->key) + v->task_refs[t];
        for (size_t o = 0; o < own; o++, outputs++) {
            const wf_partition_output *output = &v->outputs[outputs];
            wrong += output->export_begin != exports;
            for (; exports < output[1].export_begin; exports++) sum += v->exports[exports];
        }
    }
    for (uint32_t i = 1; i < h->import_count; i++) wrong += v->imports[i - 1] >= v->imports[i];
    sink = sum; /* or the compiler drops the reading */
    (void)sink;
    return wrong + (inputs != h->input_count) + (outputs != h->output_count) + (exports != h->export_count);
}

/* Looks at count damaged bytes; they must be refused with an error, or be harmless. Returns 1 when they were refused. */
static size_t view_damaged(const void *bytes, size_t size_bytes, size_t *harmful)
{
    wf_partition view = {0};
    weft_error err = WEFT_ERROR_INIT;
    weft_status status = wf_partition_view(bytes, size_bytes, &view, &err);
    if (status == WEFT_OK) {
        *harmful += use(&view) > 0;
        return 0;
    }
    *harmful += status != WEFT_EDATA || err.text[0] == '\0' || view.header != NULL;
    return 1;
}

static void each_byte_may_be_damaged_without_harm(void)
{
    random_source r = random_begin();
    size_t harmful = 0, refused = 0;
    for (int round = 0; round < FUZZ_ROUNDS; round++) {
        fixture f;
        setup(&f, &r, 40, WF_OUTPUT_GATHER);
        for (uint32_t p = 0; p < f.set.count; p++) {
            size_t size_bytes = f.set.size_bytes[p];
            if (!size_bytes) continue;
            CU_ASSERT_EQUAL(use(&f.views[p]), 0);
            unsigned char *bytes = copy_of(f.set.bytes[p], size_bytes);
            for (size_t i = 0; i < size_bytes; i++) {
                unsigned char old = bytes[i];
                const unsigned char damaged[] = {0, 0xff, (unsigned char)(old + 1), (unsigned char)(old - 1),
                                                 (unsigned char)(old ^ 1u << random_below(&r, 8)), (unsigned char)random_below(&r, 256)};
                for (size_t d = 0; d < sizeof damaged; d++) {
                    bytes[i] = damaged[d];
                    refused += view_damaged(bytes, size_bytes, &harmful);
                }
                bytes[i] = old;
            }
            free(bytes);
        }
        teardown(&f);
    }
    CU_ASSERT_EQUAL(harmful, 0);
    CU_ASSERT(refused > 0);
}

/* Several words at once, each taken from elsewhere in the partition: indices that are plausible, and wrong. */
static void many_words_may_be_damaged_without_harm(void)
{
    random_source r = random_begin();
    size_t harmful = 0;
    for (int round = 0; round < FUZZ_ROUNDS; round++) {
        fixture f;
        setup(&f, &r, 60, WF_OUTPUT_GATHER);
        for (uint32_t p = 0; p < f.set.count; p++) {
            size_t words = f.set.size_bytes[p] / 4;
            for (int attempt = 0; words && attempt < 2000; attempt++) {
                uint32_t *bytes = copy_of(f.set.bytes[p], 4 * words);
                for (size_t i = random_below(&r, 6) + 1; i > 0; i--) {
                    uint32_t small = (uint32_t)random_below(&r, 64);
                    bytes[2 + random_below(&r, words - 2)] = random_below(&r, 2) ? bytes[random_below(&r, words)] : small;
                }
                view_damaged(bytes, 4 * words, &harmful);
                free(bytes);
            }
        }
        teardown(&f);
    }
    CU_ASSERT_EQUAL(harmful, 0);
}

static void every_truncation_is_refused(void)
{
    random_source r = random_begin();
    size_t harmful = 0, accepted = 0;
    for (int round = 0; round < FUZZ_ROUNDS; round++) {
        fixture f;
        setup(&f, &r, 40, WF_OUTPUT_KEEP);
        for (uint32_t p = 0; p < f.set.count; p++) {
            for (size_t size_bytes = 0; size_bytes < f.set.size_bytes[p]; size_bytes++) {
                void *bytes = copy_of(f.set.bytes[p], size_bytes);
                accepted += !view_damaged(bytes, size_bytes, &harmful);
                free(bytes);
            }
        }
        teardown(&f);
    }
    CU_ASSERT_EQUAL(accepted, 0);
    CU_ASSERT_EQUAL(harmful, 0);
}

int main(void)
{
    static const weft_test_case cases[] = {
        WEFT_TEST(partitions_hold_the_graphs_tasks_edges_and_roots),
        WEFT_TEST(a_partition_without_tasks_has_no_bytes),
        WEFT_TEST(each_byte_may_be_damaged_without_harm),
        WEFT_TEST(many_words_may_be_damaged_without_harm),
        WEFT_TEST(every_truncation_is_refused),
    };
    return weft_test_run("graph/partition", cases, WEFT_COUNT_OF(cases));
}
