import Platform

/// Writes a safetensors file piece by piece, without buffering tensors.
///
///     let writer = try SafetensorsWriter(path: path, tensors: [("weight", [3, 4])])
///     try writer.write(pointer, count: 12)
///     let checksum = try writer.finish()
///
/// The same tensors give the same bytes. An unfinished file is invalid, and `SafetensorsFile`
/// rejects it.
package final class SafetensorsWriter {
  private let path: String
  private let file: DurableFile
  private let type: WeightType
  private var remaining: Int

  /// Creates the file and writes its header.
  ///
  /// The metadata have `format: pt`, which Hugging Face transformers requires.
  ///
  /// - Parameters:
  ///   - path: the file, which is replaced.
  ///   - tensors: the names and shapes of the tensors, in the order in which they are written.
  ///   - type: the type of all tensors.
  ///   - fault: called before every write and flush.
  /// - Throws: `FileError.unwritable`.
  package init(
    path: String, tensors: [(name: String, shape: [Int])], type: WeightType = .float32,
    fault: @escaping FaultHook = { _ in }
  ) throws {
    self.path = path
    self.type = type
    var members: [(key: String, value: JSONText)] = [("__metadata__", ["format": "pt"])]
    var end = 0
    for (name, shape) in tensors {
      let start = end
      end += shape.reduce(type.size, *)
      let fields: JSONText = [
        "dtype": .string(type.numberType.rawValue), "shape": .array(shape.map { .number($0) }),
        "data_offsets": [.number(start), .number(end)],
      ]
      members.append((name, fields))
    }
    var header = JSONText.object(members).text
    // Padding aligns the data to eight bytes, as in the reference implementation.
    while header.utf8.count % 8 != 0 { header += " " }
    remaining = end / type.size
    file = try DurableFile(path: path, fault: fault)
    let length = UInt64(header.utf8.count)
    let bytes = (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } + header.utf8
    try bytes.withUnsafeBytes { try file.write($0) }
  }

  /// Appends `count` floats; a call may end inside a tensor and may span several.
  ///
  /// They are rounded to the type of the tensors. Returns the first finite one that would become
  /// infinite; nil if all are written. Throws `FileError.unwritable`; traps on more floats than the
  /// header declares.
  @discardableResult
  package func write(_ floats: UnsafePointer<Float>, count: Int) throws -> Float? {
    precondition(count <= remaining, "\(path): more floats than its header declares")
    remaining -= count
    if type == .float32 {
      try file.write(UnsafeRawBufferPointer(start: floats, count: 4 * count))
      return nil
    }
    for start in stride(from: 0, to: count, by: 1 << 16) {
      var bytes: [UInt8] = []
      bytes.reserveCapacity(type.size << 16)
      for index in start..<min(start + (1 << 16), count) {
        if !type.append(floats[index], to: &bytes) { return floats[index] }
      }
      try bytes.withUnsafeBytes { try file.write($0) }
    }
    return nil
  }

  /// Flushes the file to disk, closes it and returns the CRC-32C of its bytes.
  ///
  /// Throws `FileError.unwritable`; traps on fewer floats than the header declares.
  @discardableResult
  package func finish() throws -> UInt32 {
    precondition(remaining == 0, "\(path): \(remaining) floats are missing")
    return try file.finish()
  }
}
