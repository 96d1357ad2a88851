/* The body of uniform.c, compiled once per instruction set: a compiler fits vectors of this length to the target of the function that it
 * finds them in, so the function is written once and included with ROWS_NAME and ROWS_TARGET defined. */

ROWS_TARGET static void ROWS_NAME(double *out, uint64_t first_row, uint64_t rows, uint64_t cols, uint64_t seed)
{
    static const unsigned rotations[ROTATIONS] = {R_64x2_0_0, R_64x2_1_0, R_64x2_2_0, R_64x2_3_0,
                                                  R_64x2_4_0, R_64x2_5_0, R_64x2_6_0, R_64x2_7_0};
    const uint64_t keys[3] = {seed, 0, SKEIN_KS_PARITY64 ^ seed};
    const lanes step = {0, 1, 2, 3, 4, 5, 6, 7};
    for (uint64_t row = first_row; row < first_row + rows; row++) {
        for (uint64_t col = 0; col < cols; col += BATCH, out += BATCH) {
            lanes even = (lanes){0} + (row + keys[0]), odd = step + (col / 2 + keys[1]);
            #pragma GCC unroll 20
            for (unsigned round = 0; round < ROUNDS; round++) {
                even += odd;
                odd = (odd << rotations[round % ROTATIONS] | odd >> (64 - rotations[round % ROTATIONS])) ^ even;
                if (round % 4 == 3) {
                    unsigned injection = round / 4 + 1;
                    even += keys[injection % 3];
                    odd += keys[(injection + 1) % 3] + injection;
                }
            }
            doubles low = TO_UNIT_INTERVAL(even), high = TO_UNIT_INTERVAL(odd);
            doubles first = __builtin_shufflevector(low, high, 0, 8, 1, 9, 2, 10, 3, 11);
            doubles second = __builtin_shufflevector(low, high, 4, 12, 5, 13, 6, 14, 7, 15);
            if (cols - col >= BATCH) {
                memcpy(out, &first, sizeof first);
                memcpy(out + LANES, &second, sizeof second);
            } else {
                doubles both[2] = {first, second};
                memcpy(out, both, (size_t)(cols - col) * sizeof *out);
                out -= BATCH - (cols - col);
            }
        }
    }
}
#undef ROWS_NAME
#undef ROWS_TARGET
