// Computes products of bfloat16 matrices of many shapes in both orders of sums, with the same
// pseudo-random numbers on every machine, and prints a checksum of the bits of each.
//
// For the host: products scalar | avx2 | other. `other` adds in wrong orders, to show that the
// numbers reveal it: the elements of each pair are swapped in a chain, and blocks are a chain. With
// BARE_METAL: the program of the image that the emulator starts, for AVX512-BF16 and AMX. It has no
// C library and writes to port E9.

#include "CKernels.h"

#ifdef BARE_METAL
static void put(char c) { __asm__ volatile("outb %0, $0xE9" : : "a"(c)); }
#else
#include <stdio.h>
#include <string.h>
static void put(char c) { putchar(c); }
#endif

enum { most_rows = 512, most_columns = 1024, most_panels = 8 };

typedef void kernel(const ckernels_block *);

// The shapes of `small`, and odd ones.
static const struct { int rows, k, panels; } shapes[] = {
    {24, 64, 8},   {24, 128, 8},  {24, 256, 8},   {24, 1024, 2},  {128, 64, 4},  {128, 128, 4},
    {128, 256, 2}, {128, 1024, 1}, {512, 64, 2},  {512, 128, 1},  {512, 256, 1}, {512, 1024, 1},
    {1, 5, 1},     {2, 1000, 3},  {7, 77, 2},     {8, 16, 1},     {9, 33, 3},    {16, 65, 1},
    {17, 129, 2},  {23, 255, 1},  {25, 31, 3},    {47, 511, 1},   {70, 101, 2},  {505, 37, 1},
};

static uint16_t a[(most_rows + 24) * most_columns];  // tiles of 24 rows
static uint16_t b[most_panels * 16 * most_columns];
static union {
  float values[most_panels * ckernels_tile_floats];
  uint32_t bits[most_panels * ckernels_tile_floats];
} sums;
static float scratch[24 * (most_columns + 2 * ckernels_block_pairs)];
static uint64_t state;

static uint32_t draw(void) {
  state = state * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)(state >> 33);
}

// A bfloat16 number of a kind. Products of kinds 0 and 1 are about 2^-126, those of kind 2 cancel
// exactly, and kind 3 mixes subnormal numbers with others of very different sizes.
static uint16_t number(int kind) {
  static const uint16_t integers[] = {0, 0x3F80, 0xBF80, 0x4000, 0xC000, 0x4040, 0xC040};
  const uint32_t bits = draw(), sign_and_fraction = bits & 0x807F, exponent = bits >> 16;
  switch (kind) {
    case 0: return (uint16_t)(sign_and_fraction | (exponent % 15 + 120) << 7);
    case 1: return (uint16_t)(sign_and_fraction | exponent % 16 << 7);
    case 2: return integers[exponent % 7];
    default:
      return (uint16_t)(sign_and_fraction | (exponent % 8 ? exponent % 50 + 100 : 0) << 7);
  }
}

// Draws A and B. Rows have kinds 0 to 3, columns 0, 2 and 3. In blocks there are no rows of kind 1:
// of 400,000 sums near 2^-126, Bochs 3.0 has one by AMX that an Intel Emerald Rapids and the
// definition do not have.
static void draw_factors(int in_blocks, int rows, int k, int panels) {
  const int pairs = (k + 1) / 2;
  for (int r = 0; r < rows; ++r)
    for (int i = 0; i < 2 * pairs; ++i) {
      const int index = r / 24 * 48 * pairs + i / 2 * 48 + r % 24 * 2 + i % 2;
      const int kind = in_blocks && r % 4 == 1 ? 0 : r % 4;
      a[index] = i < k ? number(kind) : 0;
    }
  static const int kinds[] = {0, 2, 3};
  for (int q = 0; q < panels; ++q)
    for (int i = 0; i < 2 * pairs; ++i)
      for (int j = 0; j < 16; ++j)
        b[q * 32 * pairs + i / 2 * 32 + 2 * j + i % 2] = i < k ? number(kinds[j % 3]) : 0;
}

static uint64_t checksum(uint64_t hash, int rows, int panels) {  // FNV-1a, by words
  for (int q = 0; q < panels; ++q)
    for (int i = 0; i < 16 * rows; ++i)
      hash = (hash ^ sums.bits[q * ckernels_tile_floats + i]) * 0x100000001B3u;
  return hash;
}

static void print_number(int number) {
  if (number > 9) print_number(number / 10);
  put((char)('0' + number % 10));
}

static void print(const char *text) {
  while (*text) put(*text++);
}

// Prints "shape ORDER, ROWS x K, micro-panels N: CHECKSUM".
static void print_result(int in_blocks, int shape, uint64_t result) {
  print(in_blocks ? "shape blocks, " : "shape chain, ");
  print_number(shapes[shape].rows);
  print(" x ");
  print_number(shapes[shape].k);
  print(", micro-panels ");
  print_number(shapes[shape].panels);
  print(": ");
  for (int shift = 60; shift >= 0; shift -= 4) put("0123456789abcdef"[result >> shift & 15]);
  put('\n');
}

static void compute_all(kernel *compute, int in_blocks) {
  state = 1;
  for (int i = 0; i < (int)(sizeof shapes / sizeof *shapes); ++i) {
    const int rows = shapes[i].rows, panels = shapes[i].panels, pairs = (shapes[i].k + 1) / 2;
    draw_factors(in_blocks, rows, shapes[i].k, panels);
    uint64_t hash = 0xCBF29CE484222325u;
    for (int first = 0; first < rows; first += 24) {
      ckernels_block block = {
          .a = a + first * 2 * pairs, .b = b, .b_panel = 32 * pairs, .sums = sums.values,
          .scratch = scratch, .rows = rows - first < 24 ? rows - first : 24, .panels = panels,
          .pairs = pairs, .in_blocks = in_blocks};
      compute(&block);
      hash = checksum(hash, block.rows, panels);
      // The same product again, added to the first.
      block.continues = 1;
      compute(&block);
      hash = checksum(hash, block.rows, panels);
    }
    print_result(in_blocks, i, hash);
  }
}

#ifdef BARE_METAL

// The compiler may call them to copy or clear a structure.
void *memset(void *to, int byte, size_t count) {
  void *const start = to;
  __asm__ volatile("rep stosb" : "+D"(to), "+c"(count) : "a"(byte) : "memory");
  return start;
}

void *memcpy(void *to, const void *from, size_t count) {
  void *const start = to;
  __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(count) : : "memory");
  return start;
}

int main(void) {
  compute_all(ckernels_avx512_bf16, 0);
  compute_all(ckernels_amx, 1);
  return 0;
}

#else

static void swap_halves(uint16_t *pairs, size_t count) {
  for (size_t i = 0; i < count; i += 2) {
    const uint16_t first = pairs[i];
    pairs[i] = pairs[i + 1];
    pairs[i + 1] = first;
  }
}

static void in_other_order(const ckernels_block *block) {
  ckernels_block chain = *block;
  chain.in_blocks = 0;
  if (block->in_blocks) {
    ckernels_scalar(&chain);
    return;
  }
  swap_halves(a, sizeof a / 2);
  swap_halves(b, sizeof b / 2);
  ckernels_scalar(&chain);
  swap_halves(a, sizeof a / 2);
  swap_halves(b, sizeof b / 2);
}

int main(int argc, char **argv) {
  const char *name = argc > 1 ? argv[1] : "";
  kernel *const compute = !strcmp(name, "scalar")  ? ckernels_scalar
                          : !strcmp(name, "other") ? in_other_order
                          : !strcmp(name, "avx2") && ckernels_has_avx2() ? ckernels_avx2
                                                                         : NULL;
  if (!compute) return 77;
  for (int in_blocks = 0; in_blocks < 2; ++in_blocks) compute_all(compute, in_blocks);
  return 0;
}

#endif
