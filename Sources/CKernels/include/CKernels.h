// Products of bfloat16 matrices, C = A B, one implementation for each instruction set.
//
// Swift can express neither the instructions nor the floating-point control register. Packing,
// loops over blocks and everything that happens to a finished sum are in Swift (Tensors/Products).
//
// All implementations give the same bits, which are defined by the instruction VDPBF16PS of
// AVX512-BF16: an element is one chain of fused multiply-adds in float32, in the order k = 1, 0, 3,
// 2, 5, 4 and so on, from zero. Every multiply-add rounds to nearest even; subnormal operands and
// results are zeros with the same sign. The scalar implementation is that sentence in C. Only which
// NaN a chain gives is not defined.
//
// A pair is the two elements 2 p and 2 p + 1 of a row of A or of a column of B, side by side in
// memory. If K is odd, the last pair's second element is zero in both factors.

#ifndef CKERNELS_H
#define CKERNELS_H

#include <stddef.h>
#include <stdint.h>

enum {
  ckernels_tile_rows = 24,     // the rows of a tile of A
  ckernels_panel_columns = 16  // the columns of a micro-panel of B
};

// The product of a block of A (rows x 2 pairs) with consecutive micro-panels of B. Strides count
// elements of the array they belong to.
typedef struct {
  // Pair p of row r is at a + r / 24 * a_tile + r % 24 * a_row + p * a_pair. Either the pairs of a
  // row are adjacent (a_pair is 2) or the rows of a tile (a_row is 2). No alignment is needed.
  const uint16_t *a;
  ptrdiff_t a_row, a_pair, a_tile;
  // Pair p of column j of micro-panel q is at b + q * b_panel + 32 * p + 2 * j.
  const uint16_t *b;
  ptrdiff_t b_panel;
  // Element (r, j) of micro-panel q is at sums + q * sums_panel + 16 * r + j.
  float *sums;
  ptrdiff_t sums_panel;
  // Scratch of ckernels_scratch_floats(pairs) floats.
  float *scratch;
  int rows, panels, pairs;
  // Whether the chains go on from the values in `sums`; otherwise they begin at zero.
  int continues;
} ckernels_block;

// `count` rounded up to a multiple of eight, the floats of a vector of AVX2.
static inline ptrdiff_t ckernels_padded(int count) { return ((ptrdiff_t)count + 7) / 8 * 8; }

static inline ptrdiff_t ckernels_scratch_floats(int pairs) {
  return 2 * ckernels_tile_rows * ckernels_padded(pairs);
}

// Compute `block`. Call one only if the processor has its instructions.
void ckernels_scalar(const ckernels_block *block);
void ckernels_avx2(const ckernels_block *block);
void ckernels_avx512_bf16(const ckernels_block *block);

// Whether this processor, and the compiler that built the program, has the instructions.
int ckernels_has_avx2(void);
int ckernels_has_avx512_bf16(void);

#endif
