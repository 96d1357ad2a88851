/* Text that is shown to people. Owns nothing. Any thread. */
#include "base/text.h"

void wf_text_keep_on_line(char *text)
{
    for (char *c = text; *c; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f) *c = ' '; /* bytes from 0x80 on are UTF-8 */
    }
}
