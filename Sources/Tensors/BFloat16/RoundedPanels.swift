import CKernels

/// The micro-panels of a right factor: 16 columns each, two rows of K side by side in a pair.
struct RightPanels {
  let base: UnsafeMutableRawPointer
  /// The elements from one micro-panel to the next.
  let stride: Int
}

extension BFloat16Factor {
  /// The number of pairs along K for a factor with K = `inner`.
  static func pairs(_ inner: Int) -> Int { (inner + 1) / 2 }

  /// Packs columns `columns` of this right factor into micro-panels, all of K.
  ///
  /// Missing columns of the last micro-panel, and the last row of an odd K, become zeros.
  func packRight(columns: Range<Int>, into panels: UnsafeMutableRawPointer) -> RightPanels {
    let width = ckernels_panel_columns
    let stride = 2 * width * Self.pairs(rows)
    var panel = panels
    for column in Swift.stride(from: columns.lowerBound, to: columns.upperBound, by: width) {
      let columns = column..<min(column + width, columns.upperBound)
      if isTransposed {
        tensor.packPairs(rows: columns, width: width, into: panel)
      } else {
        tensor.interleavePairs(columns: columns, width: width, into: panel)
      }
      panel += 2 * stride
    }
    return RightPanels(base: panels, stride: stride)
  }

  /// Packs rows `rows` of this left factor, at most 24, into a tile, all of K.
  ///
  /// Missing rows, and the last column of an odd K, become zeros.
  func packLeft(rows: Range<Int>, into tile: UnsafeMutableRawPointer) {
    if isTransposed {
      tensor.interleavePairs(columns: rows, width: ckernels_tile_rows, into: tile)
    } else {
      tensor.packPairs(rows: rows, width: ckernels_tile_rows, into: tile)
    }
  }
}

extension BFloat16Tensor {
  /// Packs columns `columns`, at most `width`, so that two rows lie side by side.
  ///
  /// Pair p of column j has the elements of rows 2 p and 2 p + 1, and is number `width` * p + j.
  /// Missing columns, and the row after an odd number, become zeros.
  func interleavePairs(columns: Range<Int>, width: Int, into panel: UnsafeMutableRawPointer) {
    let whole = columns.count == width ? rows / 2 : 0
    for p in 0..<whole {
      let first = row(2 * p) + 2 * columns.lowerBound
      let (second, target) = (first + 2 * stride, panel + 4 * width * p)
      for j in Swift.stride(from: 0, to: width, by: 8) {
        var pairs = SIMD16<UInt16>(repeating: 0)
        pairs.evenHalf = (first + 2 * j).loadUnaligned(as: SIMD8<UInt16>.self)
        pairs.oddHalf = (second + 2 * j).loadUnaligned(as: SIMD8<UInt16>.self)
        target.storeBytes(of: pairs, toByteOffset: 4 * j, as: SIMD16<UInt16>.self)
      }
    }
    for p in whole..<BFloat16Factor.pairs(rows) {
      let first = row(2 * p) + 2 * columns.lowerBound
      let second = 2 * p + 1 < rows ? row(2 * p + 1) + 2 * columns.lowerBound : nil
      let target = panel + 4 * width * p
      for j in Swift.stride(from: 0, to: width, by: 8) {
        let left = columns.count - j
        let tail: Int? = left < 8 ? max(0, left) : nil
        var pairs = SIMD16<UInt16>(repeating: 0)
        pairs.evenHalf = first.loadBits(at: j, tail: tail)
        pairs.oddHalf = second?.loadBits(at: j, tail: tail) ?? .zero
        target.storeBytes(of: pairs, toByteOffset: 4 * j, as: SIMD16<UInt16>.self)
      }
    }
  }

  /// Packs rows `rows`, at most `width`, so that two elements of a row lie side by side.
  ///
  /// Pair p of row j is number `width` * p + j. Missing rows, and the element after an odd number,
  /// become zeros. `width` is a multiple of 8.
  func packPairs(rows: Range<Int>, width: Int, into panel: UnsafeMutableRawPointer) {
    let words = panel.assumingMemoryBound(to: Float.self)
    for first in Swift.stride(from: 0, to: width, by: 8) {
      transposeWords(
        row(rows.lowerBound + first), byteStride: 2 * stride,
        width: max(0, min(8, rows.count - first)), count: columns / 2, into: words + first,
        panelWidth: width)
    }
    guard columns % 2 == 1 else { return }
    for lane in 0..<width {
      let last =
        lane < rows.count
        ? row(rows.lowerBound + lane).loadUnaligned(
          fromByteOffset: 2 * columns - 2, as: UInt16.self) : 0
      panel.storeBytes(
        of: UInt32(last), toByteOffset: 4 * (width * (columns / 2) + lane), as: UInt32.self)
    }
  }
}
