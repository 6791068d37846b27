// The reference for all other implementations: the definition of the arithmetic, step by step. It
// works on any processor and does not touch the floating-point control register.

#include <float.h>
#include <math.h>
#include <string.h>

#include "CKernels.h"

static float flushed(float x) { return fabsf(x) < FLT_MIN ? copysignf(0, x) : x; }

static float widened(uint16_t x) {
  const uint32_t bits = (uint32_t)x << 16;
  float result;
  memcpy(&result, &bits, sizeof result);
  return flushed(result);
}

// x y + sum, rounded once to 24 bits and only then flushed.
static float multiply_add(float x, float y, float sum) {
  sum = flushed(sum);
  const float result = fmaf(x, y, sum);
  if (!(fabsf(result) <= FLT_MIN)) return result;
  // Near zero a float has fewer than 24 bits, and a sum just below the smallest normal number may
  // have been rounded up to it. Scaled by 2^96, nothing underflows.
  const float scale = 0x1p48f;
  const float exact = fmaf(x * scale, y * scale, sum * scale * scale);
  return fabsf(exact) < FLT_MIN * scale * scale ? copysignf(0, exact) : result;
}

static float add(float x, float y) { return flushed(flushed(x) + flushed(y)); }

// Adds product h of pair p to `sum`; behind the last pair the factors are zeros.
static float term(
    const ckernels_block *c, const uint16_t *a, const uint16_t *b, int p, int h, float sum) {
  const int is_pair = p < c->pairs;
  return multiply_add(
      is_pair ? widened(a[2 * ckernels_tile_rows * p + h]) : 0,
      is_pair ? widened(b[2 * ckernels_panel_columns * p + h]) : 0, sum);
}

static float chain(const ckernels_block *c, const uint16_t *a, const uint16_t *b, float sum) {
  for (int p = 0; p < c->pairs; ++p)
    for (int h = 1; h >= 0; --h) sum = term(c, a, b, p, h, sum);
  return sum;
}

static float blocks(const ckernels_block *c, const uint16_t *a, const uint16_t *b, float sum) {
  for (int first = 0; first < c->pairs; first += ckernels_block_pairs) {
    float chains[2] = {0, 0};
    for (int p = first; p < first + ckernels_block_pairs; ++p)
      for (int h = 0; h < 2; ++h) chains[h] = term(c, a, b, p, h, chains[h]);
    sum = add(sum, add(chains[0], chains[1]));
  }
  return sum;
}

void ckernels_scalar(const ckernels_block *block) {
  for (int q = 0; q < block->panels; ++q)
    for (int r = 0; r < block->rows; ++r)
      for (int j = 0; j < ckernels_panel_columns; ++j) {
        const uint16_t *a = block->a + 2 * r, *b = block->b + q * block->b_panel + 2 * j;
        float *sum = block->sums + q * ckernels_tile_floats + ckernels_panel_columns * r + j;
        const float first = block->continues ? *sum : 0;
        *sum = block->in_blocks ? blocks(block, a, b, first) : chain(block, a, b, first);
      }
}
