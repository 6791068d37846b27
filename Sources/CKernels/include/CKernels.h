// Products of bfloat16 matrices, C = A B, one implementation for each instruction set.
//
// Swift can express neither the instructions nor the floating-point control register. Packing,
// loops over blocks and everything that happens to a finished sum are in Swift (Tensors/BFloat16).
//
// An element of C is a sum of products in float32, in one of two orders. All implementations of an
// order give the same bits.
//
// One chain (the instruction VDPBF16PS of AVX512-BF16): fused multiply-adds in the order k = 1, 0,
// 3, 2, 5, 4 and so on, from zero. Blocks (TDPBF16PS of AMX): each 32 terms, with zeros behind the
// last one, are two chains from zero, one of even and one of odd k; the chains are added to each
// other, then to the sum.
//
// Every multiply-add and addition rounds to nearest even; subnormal operands and results are zeros
// with the same sign. The scalar implementation is the definition in C. Which NaN an invalid
// operation gives is not defined.
//
// A pair is the two elements 2 p and 2 p + 1 of a row of A or of a column of B, side by side in
// memory. If K is odd, the last pair's second element is zero in both factors.

#ifndef CKERNELS_H
#define CKERNELS_H

#include <stddef.h>
#include <stdint.h>

enum {
  ckernels_tile_rows = 24,      // the rows of a tile of A
  ckernels_panel_columns = 16,  // the columns of a micro-panel of B
  ckernels_block_pairs = 16,    // the pairs of a block of terms
  ckernels_tile_floats = ckernels_tile_rows * ckernels_panel_columns
};

// The product of a tile of A (at most 24 rows, 2 * pairs columns) with consecutive micro-panels of
// B. No alignment is needed.
typedef struct {
  // Pair p of row r is at a + 48 * p + 2 * r. All 24 rows are in memory; what those from `rows` on
  // contain does not matter.
  const uint16_t *a;
  // Pair p of column j of micro-panel q is at b + q * b_panel + 32 * p + 2 * j.
  const uint16_t *b;
  ptrdiff_t b_panel;  // in elements
  // Element (r, j) of micro-panel q is at sums + 384 * q + 16 * r + j. All 24 rows are in memory;
  // those from `rows` on may be read and overwritten.
  float *sums;
  // Scratch of ckernels_scratch_floats(pairs) floats.
  float *scratch;
  int rows, panels, pairs;
  // Whether products are added to the values in `sums`; otherwise the sums begin at zero.
  int continues;
  // Whether terms are summed in blocks; otherwise in one chain.
  int in_blocks;
} ckernels_block;

static inline ptrdiff_t ckernels_scratch_floats(int pairs) {
  return (ptrdiff_t)2 * ckernels_tile_rows * (pairs + ckernels_block_pairs);
}

// Compute `block`. Call one only if the processor has its instructions.
void ckernels_scalar(const ckernels_block *block);
void ckernels_avx2(const ckernels_block *block);
void ckernels_avx512(const ckernels_block *block);
void ckernels_avx512_bf16(const ckernels_block *block);  // chains only
void ckernels_amx(const ckernels_block *block);          // blocks only

// Whether this processor, and the compiler that built the program, has the instructions.
int ckernels_has_avx2(void);
int ckernels_has_avx512(void);
int ckernels_has_avx512_bf16(void);
int ckernels_has_amx(void);

#endif
