// Products by fused multiply-adds of widened elements, one text for AVX2 and AVX-512.
//
// The file that includes it defines what widened.h needs, and CHAIN_ROWS and BLOCK_ROWS, the rows
// of A whose sums fit into the registers, divisors of 24.
//
// Elements of A are widened before the sums, since each is used for every column; widening them
// between multiply-adds makes a product a third slower. Elements of B are widened in the inner
// loop, where one operation serves all rows of the micro-kernel.

#include "widened.h"

// Adds the products of some pairs to the sums of `rows` rows of widened A: with one chain those of a
// micro-panel, with two chains (the halves apart) those of one vector of columns.
CODE INLINED void add_products(
    floats *sum, const float *a, const uint16_t *b, int pairs, const int rows, const int chains) {
  const int vectors = chains == 1 ? columns / WIDTH : 1;
  for (int p = 0; p < pairs; ++p, b += 2 * columns)
    UNROLLED for (int half = odd; half <= even; ++half, a += tile) {
      floats *chain = sum + (chains == 2 ? half * rows * vectors : 0);
      UNROLLED for (int i = 0; i < rows; ++i)
        UNROLLED for (int v = 0; v < vectors; ++v)
          chain[vectors * i + v] = __builtin_elementwise_fma(
              (floats)a[i], load(b + 2 * WIDTH * v, half), chain[vectors * i + v]);
      // Makes the compiler load B again: kept, it would push sums out of the registers.
      __asm__ volatile("" ::: "memory");
    }
}

// The sums of `rows` rows and a micro-panel, each one chain.
CODE INLINED void chains(
    const ckernels_block *c, const float *a, const uint16_t *b, float *sums, const int rows) {
  enum { vectors = columns / WIDTH };
  const int count = rows * vectors;
  floats sum[CHAIN_ROWS * vectors];
  UNROLLED for (int i = 0; i < count; ++i)
    if (c->continues) memcpy(&sum[i], sums + WIDTH * i, sizeof *sum);
    else sum[i] = 0;
  add_products(sum, a, b, c->pairs, rows, 1);
  UNROLLED for (int i = 0; i < count; ++i) memcpy(sums + WIDTH * i, &sum[i], sizeof *sum);
}

// Separate functions, since in one the compiler keeps some sums in memory.
CODE SEPARATE void all_chains(
    const ckernels_block *c, const float *a, const uint16_t *b, float *sums) {
  chains(c, a, b, sums, CHAIN_ROWS);
}
CODE SEPARATE void half_chains(
    const ckernels_block *c, const float *a, const uint16_t *b, float *sums) {
  chains(c, a, b, sums, CHAIN_ROWS / 2);
}

// The sums of BLOCK_ROWS rows and a micro-panel, in blocks of 16 pairs with two chains each.
CODE SEPARATE void blocks(const ckernels_block *c, const float *a, const uint16_t *b, float *sums) {
  for (int v = 0; v < columns / WIDTH; ++v, b += 2 * WIDTH, sums += WIDTH)
    for (int p = 0; p == 0 || p < c->pairs; p += ckernels_block_pairs) {
      const int left = c->pairs - p;
      const int pairs = left < ckernels_block_pairs ? left : ckernels_block_pairs;
      floats sum[2 * BLOCK_ROWS];
      UNROLLED for (int i = 0; i < 2 * BLOCK_ROWS; ++i) sum[i] = 0;
      add_products(sum, a + 2 * tile * p, b + 2 * columns * p, pairs, BLOCK_ROWS, 2);
      UNROLLED for (int i = 0; i < BLOCK_ROWS; ++i) {
        float *to = sums + columns * i;
        floats before = 0;
        if (p > 0 || c->continues) memcpy(&before, to, sizeof before);
        // The zeros after the last pair turn a chain's -0 into +0.
        const floats zero = pairs < ckernels_block_pairs ? 0.0f : -0.0f;
        before += (sum[i] + zero) + (sum[BLOCK_ROWS + i] + zero);
        memcpy(to, &before, sizeof before);
      }
    }
}

// Separate, so that the compiler cannot move arithmetic past changes of the control register.
CODE SEPARATE void compute(const ckernels_block *c) {
  widen(c);
  for (int q = 0; q < c->panels; ++q)
    for (int r = 0; r < c->rows; r += c->in_blocks ? BLOCK_ROWS : CHAIN_ROWS) {
      const float *a = c->scratch + r;
      const uint16_t *b = c->b + q * c->b_panel;
      float *sums = c->sums + q * ckernels_tile_floats + columns * r;
      if (c->in_blocks) blocks(c, a, b, sums);
      else if (c->rows - r > CHAIN_ROWS / 2) all_chains(c, a, b, sums);
      else half_chains(c, a, b, sums);
    }
}

// Computes `block` while subnormals are flushed.
static inline void compute_flushing(const ckernels_block *block) {
  const unsigned control = _mm_getcsr();
  _mm_setcsr(control | flush_subnormals);
  compute(block);
  _mm_setcsr(control);
}
