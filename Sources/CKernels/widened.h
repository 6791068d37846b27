// Elements of bfloat16 pairs as vectors of floats, for AVX2 and AVX-512.
//
// The file that includes it defines TARGET, the instruction sets, and WIDTH, the floats of a
// vector.

#include <immintrin.h>
#include <string.h>

#include "CKernels.h"

#define CODE __attribute__((target(TARGET)))
#define INLINED static inline __attribute__((always_inline))
#define SEPARATE static __attribute__((noinline))
#define UNROLLED _Pragma("unroll")

typedef float floats __attribute__((ext_vector_type(WIDTH)));
typedef uint32_t words __attribute__((ext_vector_type(WIDTH)));

enum { tile = ckernels_tile_rows, columns = ckernels_panel_columns };
enum { flush_subnormals = 0x8040 };  // the bits FZ and DAZ of the control register
enum { odd, even };  // the halves of pairs in the order of a chain: second elements come first

// One half of WIDTH pairs, as floats.
CODE INLINED floats load(const uint16_t *pairs, int half) {
  words both;
  memcpy(&both, pairs, sizeof both);
  return (floats)(half == odd ? both & 0xFFFF0000 : both << 16);
}

// Widens the tile: for each pair of columns, the second elements of the 24 rows, then the first.
CODE INLINED void widen(const ckernels_block *c) {
  typedef uint32_t pair __attribute__((aligned(2), may_alias));
  typedef uint32_t word __attribute__((may_alias));
  const pair *from = (const pair *)c->a;
  word *to = (word *)c->scratch;
  for (int p = 0; p < c->pairs; ++p, from += tile, to += 2 * tile)
    for (int i = 0; i < tile; ++i) {
      to[i] = from[i] & 0xFFFF0000;
      to[tile + i] = from[i] << 16;
    }
}
