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

void ckernels_scalar(const ckernels_block *block) {
  for (int q = 0; q < block->panels; ++q) {
    for (int r = 0; r < block->rows; ++r) {
      const uint16_t *a = block->a + 2 * r;
      float *sums = block->sums + q * ckernels_tile_floats + ckernels_panel_columns * r;
      for (int j = 0; j < ckernels_panel_columns; ++j) {
        const uint16_t *b = block->b + q * block->b_panel + 2 * j;
        float sum = block->continues ? sums[j] : 0;
        for (int p = 0; p < block->pairs; ++p) {
          const uint16_t *pair = a + 2 * ckernels_tile_rows * p;
          for (int h = 1; h >= 0; --h)
            sum = multiply_add(
                widened(pair[h]), widened(b[2 * ckernels_panel_columns * p + h]), sum);
        }
        sums[j] = sum;
      }
    }
  }
}
