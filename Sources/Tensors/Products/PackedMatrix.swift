import Synchronization

/// A weight matrix as a right factor, packed once for all products of a step on all threads.
///
/// Packing puts the matrix into the order in which kernels read it and, in bfloat16, rounds it. In
/// float32 only shapes for which `TiledProduct` is used are packed; OpenBLAS packs by itself.
package final class PackedMatrix: Sendable {
  /// The matrix in the flat vector of weights.
  let source: Tensor
  /// Whether the factor is the transpose of `source`.
  let isTransposed: Bool
  /// The order of sums of a rounded matrix; nil in float32.
  let order: SumOrder?
  /// The micro-panels; nil if products read `source`.
  private let panels: Storage?
  /// The version of the weights that `panels` holds.
  private let version = Mutex<Int?>(nil)

  /// A factor of shape (K, N): `source`, or its transpose.
  package init(_ source: Tensor, isTransposed: Bool, arithmetic: Arithmetic) {
    (self.source, self.isTransposed, order) = (source, isTransposed, arithmetic.sumOrder)
    let (inner, columns) =
      isTransposed ? (source.columns, source.rows) : (source.rows, source.columns)
    panels = Self.floats(inner: inner, columns: columns, arithmetic).map { Storage(count: $0) }
  }

  package var rows: Int { isTransposed ? source.columns : source.rows }
  package var columns: Int { isTransposed ? source.rows : source.columns }

  /// Whether products read micro-panels instead of `source`.
  var isPacked: Bool { panels != nil }
  /// The factor before it is packed.
  var float32: Float32Factor { Float32Factor(tensor: source, isTransposed: isTransposed) }

  /// The floats of memory that a packed factor of shape (`inner`, `columns`) takes; nil if it is
  /// not packed.
  package static func floats(
    inner: Int, columns: Int, _ arithmetic: Arithmetic
  ) -> Int? {
    if arithmetic.roundsFactors { return padded(columns) * BFloat16Factor.pairs(inner) }
    return TiledProduct.isFaster(inner: inner, columns: columns) ? padded(columns) * inner : nil
  }

  /// `columns` rounded up to whole micro-panels, which have 16 columns in all arithmetics.
  static func padded(_ columns: Int) -> Int { (columns + 15) / 16 * 16 }

  /// Packs the weights unless it was done for this `version` of them.
  ///
  /// Threads that call it at the same time wait until one of them has packed.
  package func pack(version: Int) {
    guard let panels else { return }
    self.version.withLock { packed in
      guard packed != version else { return }
      let start = Profile.begin()
      defer { Profile.end(.packing, start) }
      if let order { packRounded(panels, order) } else { packFloats(panels) }
      packed = version
    }
  }

  private func packFloats(_ panels: Storage) {
    for inner in blocks(rows, TiledProduct.kc) {
      PackedPanels.pack(
        float32, inner: inner, columns: 0..<columns,
        into: floatPanels(inner: inner, columns: 0..<columns))
    }
  }

  /// The micro-panels of rows `inner`, a block of KC, from column `columns.lowerBound` on, a
  /// multiple of NR.
  func floatPanels(inner: Range<Int>, columns: Range<Int>) -> UnsafeMutablePointer<Float> {
    guard let panels, order == nil else {
      preconditionFailure("the matrix is not packed in float32")
    }
    return panels.base + inner.lowerBound * Self.padded(self.columns) + columns.lowerBound
      * inner.count
  }

  /// The micro-panels from column `columns.lowerBound` on, a multiple of 16, all of K.
  func roundedPanels(columns: Range<Int>) -> RightPanels {
    guard let panels, order != nil else {
      preconditionFailure("the matrix is not packed in bfloat16")
    }
    let stride = 32 * BFloat16Factor.pairs(rows)
    return RightPanels(
      base: UnsafeMutableRawPointer(panels.base) + 2 * stride * (columns.lowerBound / 16),
      stride: stride)
  }

  /// Rounds and packs sixteen rows of `source` at a time: they are the columns of one micro-panel,
  /// or eight pairs of all of them.
  private func packRounded(_ panels: Storage, _ order: SumOrder) {
    let rounded = Storage(count: 8 * source.columns)
    for rows in blocks(source.rows, 16) {
      let chunk = BFloat16Tensor(
        base: UnsafeMutableRawPointer(rounded.base), rows: rows.count, columns: source.columns,
        order: order)
      Operand.bfloat16(chunk).copy(from: source.rows(rows))
      if isTransposed {
        chunk.packPairs(
          rows: 0..<rows.count, width: 16, into: roundedPanels(columns: rows).base)
      } else {
        for columns in blocks(source.columns, 16) {
          // A row of pairs of a micro-panel has 64 bytes.
          chunk.interleavePairs(
            columns: columns, width: 16,
            into: roundedPanels(columns: columns).base + 64 * (rows.lowerBound / 2))
        }
      }
    }
  }
}
