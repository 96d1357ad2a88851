/* Everything a client program needs: #include <weft/weft.h> */
#ifndef WEFT_H
#define WEFT_H

#include <weft/array.h>
#include <weft/chunk.h>
#include <weft/config.h>
#include <weft/graph.h>
#include <weft/kernel.h>
#include <weft/layer.h>
#include <weft/linalg.h>
#include <weft/session.h>
#include <weft/status.h>

#endif
