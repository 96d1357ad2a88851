/* Uses the installed headers and library, and nothing of the source tree. */
#include <weft/weft.h>

#include <stdio.h>
#include <string.h>

int main(void)
{
    weft_error err = WEFT_ERROR_INIT;
    weft_status status = weft_fail(&err, WEFT_ESHAPE, "chunk %d", 7);
    printf("%s: %s\n", weft_status_name(status), err.text);
    return strcmp(weft_status_name(status), "ESHAPE") == 0 && strcmp(err.text, "chunk 7") == 0 ? 0 : 1;
}
