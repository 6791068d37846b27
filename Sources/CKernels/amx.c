// AMX: TDPBF16PS multiplies a tile of 12 rows of A with a tile of 16 columns of B over 16 pairs. It
// ignores the floating-point control register: it rounds to nearest even and flushes subnormals.

#ifdef __x86_64__

#include <string.h>

#include "transposed.h"

#define AMX __attribute__((target("amx-tile,amx-bf16,avx2")))

enum { depth = ckernels_block_pairs };
enum { half = rows / 2 * ckernels_panel_columns };  // the sums of 12 rows and a micro-panel
enum { row_bytes = 64 };  // of a tile register: 16 pairs or 16 sums

// The shapes of the tile registers: 0 to 3 are sums of the halves of the rows and two micro-panels,
// 4 and 5 the halves of A, 6 and 7 the micro-panels.
typedef struct {
  uint8_t palette, start_row, reserved[14];
  uint16_t row_bytes[16];
  uint8_t rows[16];
} configuration;

static const configuration shapes = {
    .palette = 1,
    .row_bytes = {row_bytes, row_bytes, row_bytes, row_bytes, row_bytes, row_bytes, row_bytes,
                  row_bytes},
    .rows = {rows / 2, rows / 2, rows / 2, rows / 2, rows / 2, rows / 2, depth, depth},
};

// The pairs of a micro-panel from pair p on; `copy` gets them if zeros must follow the last one.
INLINED const void *pairs_of_b(const ckernels_block *c, int panel, int p, uint16_t *copy) {
  const uint16_t *b = c->b + panel * c->b_panel + 2 * ckernels_panel_columns * p;
  if (p + depth <= c->pairs) return b;
  const size_t bytes = (size_t)row_bytes * (c->pairs - p);
  memset((char *)memcpy(copy, b, bytes) + bytes, 0, row_bytes * depth - bytes);
  return copy;
}

// Computes the sums of one or two micro-panels.
AMX INLINED void micro_kernel(const ckernels_block *c, int padded, int panel, const int panels) {
  float *sums = c->sums + ckernels_tile_floats * panel;
  const uint32_t *a = (const uint32_t *)c->scratch;
  uint16_t copies[2][2 * depth * ckernels_panel_columns];
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  if (c->continues) {
    _tile_loadd(0, sums, row_bytes);
    _tile_loadd(1, sums + half, row_bytes);
    if (panels == 2) _tile_loadd(2, sums + 2 * half, row_bytes);
    if (panels == 2) _tile_loadd(3, sums + 3 * half, row_bytes);
  }
  for (int p = 0; p < c->pairs; p += depth, a += depth) {
    _tile_loadd(4, a, 4 * padded);
    _tile_loadd(5, a + rows / 2 * padded, 4 * padded);
    _tile_loadd(6, pairs_of_b(c, panel, p, copies[0]), row_bytes);
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 5, 6);
    if (panels == 1) continue;
    _tile_loadd(7, pairs_of_b(c, panel + 1, p, copies[1]), row_bytes);
    _tile_dpbf16ps(2, 4, 7);
    _tile_dpbf16ps(3, 5, 7);
  }
  _tile_stored(0, sums, row_bytes);
  _tile_stored(1, sums + half, row_bytes);
  if (panels == 2) _tile_stored(2, sums + 2 * half, row_bytes);
  if (panels == 2) _tile_stored(3, sums + 3 * half, row_bytes);
}

AMX void ckernels_amx(const ckernels_block *block) {
  const ckernels_block c = *block;
  const int padded = (c.pairs + depth - 1) / depth * depth;
  lay_out(&c, padded);
  _tile_loadconfig(&shapes);
  int q = 0;
  for (; q + 1 < c.panels; q += 2) micro_kernel(&c, padded, q, 2);
  if (q < c.panels) micro_kernel(&c, padded, q, 1);
  _tile_release();
}

#endif
