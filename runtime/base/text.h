/* Text that is shown to people. Any thread. */
#ifndef WF_BASE_TEXT_H
#define WF_BASE_TEXT_H

/* Puts a blank for every control character, in place, so that the text stays on one line and cannot steer a terminal. */
void wf_text_keep_on_line(char *text);

#endif
