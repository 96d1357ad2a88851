/* What `weft info` has gathered from a session, and its two ways of showing it. */
#ifndef WEFT_INFO_H
#define WEFT_INFO_H

#include <weft/session.h>

/* Texts are borrowed from the session. */
typedef struct info_facts {
    weft_session_info session;
    weft_machine_info machine;
    weft_rank_info *ranks; /* session.rank_count */
} info_facts;

/* For people: a line per rank, or per host where there are many ranks and all is false. Errors: WEFT_ENOMEM. */
weft_status info_print_text(const info_facts *facts, bool all, FILE *stream, weft_error *err);
/* Errors: WEFT_ENOMEM; WEFT_EDATA a text is not UTF-8. */
weft_status info_print_json(const info_facts *facts, FILE *stream, weft_error *err);

#endif
