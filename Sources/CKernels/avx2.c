// AVX2: fused multiply-adds of widened elements, at the speed of a float32 product.
//
// Elements of A are widened before the sums, since each is used for every column; widening them
// between multiply-adds makes a product a third slower. Elements of B are widened in the inner loop,
// where one operation serves six rows.

#include "CKernels.h"

#ifdef __x86_64__

#include <immintrin.h>

#define AVX2 __attribute__((target("avx2,fma")))
#define INLINED static inline __attribute__((always_inline))
#define UNROLLED _Pragma("unroll")

enum { micro_rows = 6, flush_subnormals = 0x8040 };  // the bits FZ and DAZ of the control register

// The second (odd) elements of eight pairs as floats, and the first (even) ones.
AVX2 INLINED __m256 odd(const void *pairs) {
  const __m256i high = _mm256_set1_epi32((int)0xFFFF0000);
  return _mm256_castsi256_ps(_mm256_and_si256(_mm256_loadu_si256((const __m256i *)pairs), high));
}
AVX2 INLINED __m256 even(const void *pairs) {
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_loadu_si256((const __m256i *)pairs), 16));
}

// Widens `lines` lines of `count` pairs: odd elements to `to`, even ones `even_offset` further.
AVX2 INLINED void widen(
    const uint16_t *from, ptrdiff_t stride, float *to, int lines, int count, ptrdiff_t even_offset) {
  for (; lines > 0; --lines, from += stride, to += count) {
    int i = 0;
    for (; i + 8 <= count; i += 8) {
      _mm256_storeu_ps(to + i, odd(from + 2 * i));
      _mm256_storeu_ps(to + even_offset + i, even(from + 2 * i));
    }
    for (; i < count; ++i) {
      ((uint32_t *)to)[i] = (uint32_t)from[2 * i + 1] << 16;
      ((uint32_t *)to)[even_offset + i] = (uint32_t)from[2 * i] << 16;
    }
  }
}

// Adds one product to each sum of six rows of A and sixteen columns of B.
AVX2 INLINED void add_products(
    const float *const *line, ptrdiff_t index, __m256 left, __m256 right, __m256 (*sum)[2]) {
  UNROLLED for (int i = 0; i < micro_rows; ++i) {
    const __m256 x = _mm256_broadcast_ss(line[i] + index);
    sum[i][0] = _mm256_fmadd_ps(x, left, sum[i][0]);
    sum[i][1] = _mm256_fmadd_ps(x, right, sum[i][1]);
  }
}

// Computes the sums of up to six rows of widened A and one micro-panel of B; `row` and `pair` are the
// strides of A. Rows after the last one repeat it and are not stored.
AVX2 INLINED void micro_kernel(
    const ckernels_block *c, const float *a, ptrdiff_t row, ptrdiff_t pair, const uint16_t *b,
    float *sums, int rows) {
  const ptrdiff_t even_offset = (ptrdiff_t)ckernels_tile_rows * c->pairs;
  const float *line[micro_rows];
  __m256 sum[micro_rows][2];
  UNROLLED for (int i = 0; i < micro_rows; ++i) {
    const int r = i < rows ? i : rows - 1;
    line[i] = a + r * row;
    sum[i][0] = c->continues ? _mm256_loadu_ps(sums + 16 * r) : _mm256_setzero_ps();
    sum[i][1] = c->continues ? _mm256_loadu_ps(sums + 16 * r + 8) : _mm256_setzero_ps();
  }
  ptrdiff_t index = 0;
  for (int p = c->pairs; p > 0; --p, b += 32, index += pair - even_offset) {
    add_products(line, index, odd(b), odd(b + 16), sum);
    // Makes the compiler load B again: kept, it would push sums out of the sixteen registers.
    __asm__ volatile("" ::: "memory");
    index += even_offset;
    add_products(line, index, even(b), even(b + 16), sum);
  }
  UNROLLED for (int i = 0; i < micro_rows; ++i) {
    if (i >= rows) break;
    _mm256_storeu_ps(sums + 16 * i, sum[i][0]);
    _mm256_storeu_ps(sums + 16 * i + 8, sum[i][1]);
  }
}

// Not inlined, so that the compiler cannot move arithmetic past the changes of the control register.
AVX2 __attribute__((noinline)) static void compute(const ckernels_block *c) {
  for (int first = 0; first < c->rows; first += ckernels_tile_rows) {
    const uint16_t *tile = c->a + first / ckernels_tile_rows * c->a_tile;
    const int rows = c->rows - first < ckernels_tile_rows ? c->rows - first : ckernels_tile_rows;
    // The widened tile keeps the order of the memory: by rows or, where rows are adjacent, by pairs.
    const int by_pairs = c->a_row == 2;
    const ptrdiff_t row = by_pairs ? 1 : c->pairs, pair = by_pairs ? rows : 1;
    widen(
        tile, by_pairs ? c->a_pair : c->a_row, c->scratch, by_pairs ? c->pairs : rows,
        by_pairs ? rows : c->pairs, (ptrdiff_t)ckernels_tile_rows * c->pairs);
    for (int q = 0; q < c->panels; ++q)
      for (int r = 0; r < rows; r += micro_rows)
        micro_kernel(
            c, c->scratch + r * row, row, pair, c->b + q * c->b_panel,
            c->sums + q * c->sums_panel + 16 * (first + r),
            rows - r < micro_rows ? rows - r : micro_rows);
  }
}

void ckernels_avx2(const ckernels_block *block) {
  const unsigned control = _mm_getcsr();
  _mm_setcsr(control | flush_subnormals);
  compute(block);
  _mm_setcsr(control);
}

#endif
