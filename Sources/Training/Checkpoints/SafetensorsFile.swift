import Foundation
import Layers
import Platform

/// A safetensors file, mapped into memory for reading.
///
///     let file = try SafetensorsFile(path: "model.safetensors")
///     let weight = try file.floats(of: "electra.embeddings.word_embeddings.weight")
///
/// The whole header is validated before use: sizes against the file, shapes against sizes, and that
/// tensors cover the data without overlap or gap. float16 and bfloat16 are widened to float,
/// float64 is rounded. Tensors of other types may exist, but cannot be read.
///
/// The mapping assumes that nobody truncates the file while it is in use.
package struct SafetensorsFile: Sendable {
  package let path: String
  /// The strings under `__metadata__`; empty if there are none.
  package let metadata: [String: String]
  /// The tensors, in the order of their data.
  package let entries: [Entry]
  private let data: Data
  private let dataStart: Int

  /// The description of one tensor.
  package struct Entry: Sendable, Equatable {
    package let name: String
    package let type: NumberType
    package let shape: [Int]
    /// The byte range of its data, relative to the end of the header.
    package let bytes: Range<Int>
    /// The number of its values; 1 for a scalar.
    package var count: Int { shape.reduce(1, *) }
  }

  /// The number types of the format; raw values are the format's names.
  package enum NumberType: String, Sendable {
    case float64 = "F64"
    case float32 = "F32"
    case float16 = "F16"
    case bfloat16 = "BF16"
    case int32 = "I32"
    case int64 = "I64"
    // Types that may occur in a file and cannot be read.
    case boolean = "BOOL"
    case float4 = "F4"
    case float6E2M3 = "F6_E2M3"
    case float6E3M2 = "F6_E3M2"
    case float8E5M2 = "F8_E5M2"
    case float8E4M3 = "F8_E4M3"
    case float8E8M0 = "F8_E8M0"
    case int8 = "I8"
    case int16 = "I16"
    case uint8 = "U8"
    case uint16 = "U16"
    case uint32 = "U32"
    case uint64 = "U64"
    case complex64 = "C64"

    /// The bits of one value.
    package var bits: Int {
      switch self {
      case .float4: 4
      case .float6E2M3, .float6E3M2: 6
      case .boolean, .int8, .uint8, .float8E5M2, .float8E4M3, .float8E8M0: 8
      case .float16, .bfloat16, .int16, .uint16: 16
      case .float32, .int32, .uint32: 32
      case .float64, .int64, .uint64, .complex64: 64
      }
    }

    /// Whether the values can be read as floats.
    var isFloat: Bool {
      switch self {
      case .float64, .float32, .float16, .bfloat16: true
      default: false
      }
    }
  }

  /// The largest accepted header in bytes, as in the reference implementation.
  private static let longestHeader = 100_000_000

  /// Maps the file and validates its header.
  ///
  /// Throws `FileError.unreadable` or `SafetensorsError.malformed`.
  package init(path: String) throws {
    func malformed(_ reason: String) -> SafetensorsError { .malformed(path: path, reason: reason) }
    do {
      data = try Data(contentsOf: URL(fileURLWithPath: path), options: .alwaysMapped)
    } catch {
      throw FileError.unreadable(path: path, reason: (error as NSError).localizedDescription)
    }
    guard data.count >= 8 else { throw malformed("\(data.count) bytes are too few for a header") }
    let length = data.withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) }.littleEndian
    guard length <= Self.longestHeader, Int(length) <= data.count - 8 else {
      throw malformed("a header of \(length) bytes in a file of \(data.count)")
    }
    dataStart = 8 + Int(length)
    guard
      let header = try? JSONSerialization.jsonObject(with: data[8..<dataStart]) as? [String: Any]
    else { throw malformed("its header is not a JSON object") }
    metadata = header["__metadata__"] as? [String: String] ?? [:]
    self.path = path
    var entries: [Entry] = []
    for name in header.keys.sorted() where name != "__metadata__" {
      guard let entry = Self.entry(name, header[name], available: data.count - dataStart) else {
        throw malformed("the header's entry for \(name) has a wrong type, shape or offset")
      }
      entries.append(entry)
    }
    self.entries = entries.sorted {
      ($0.bytes.lowerBound, $0.bytes.upperBound, $0.name)
        < ($1.bytes.lowerBound, $1.bytes.upperBound, $1.name)
    }
    var end = 0
    for entry in self.entries {
      guard entry.bytes.lowerBound == end else {
        throw malformed("\(entry.name) begins at byte \(entry.bytes.lowerBound), expected \(end)")
      }
      end = entry.bytes.upperBound
    }
    guard end == data.count - dataStart else {
      throw malformed("its tensors end at byte \(end) of \(data.count - dataStart)")
    }
  }

  /// Parses an entry of the header; nil if anything about it is wrong.
  ///
  /// `available` is the number of data bytes in the file.
  private static func entry(_ name: String, _ value: Any?, available: Int) -> Entry? {
    guard let fields = value as? [String: Any], let typeName = fields["dtype"] as? String,
      let type = NumberType(rawValue: typeName), let shape = fields["shape"] as? [Int],
      let offsets = fields["data_offsets"] as? [Int], offsets.count == 2,
      offsets[0] >= 0, offsets[0] <= offsets[1], offsets[1] <= available
    else { return nil }
    var bits = type.bits
    for dimension in shape {
      let (product, overflow) = bits.multipliedReportingOverflow(by: dimension)
      guard dimension >= 0, !overflow else { return nil }
      bits = product
    }
    guard bits % 8 == 0, bits / 8 == offsets[1] - offsets[0] else { return nil }
    return Entry(name: name, type: type, shape: shape, bytes: offsets[0]..<offsets[1])
  }

  /// The entry called `name`; nil if there is none.
  package func entry(_ name: String) -> Entry? { entries.first { $0.name == name } }

  /// Returns the values of a floating-point tensor, in row-major order.
  ///
  /// Throws `missingTensor` or `wrongType`.
  package func floats(of name: String) throws(SafetensorsError) -> [Float] {
    let entry = try existing(name)
    return try [Float](unsafeUninitializedCapacity: entry.count) {
      buffer, count throws(SafetensorsError) in
      if let base = buffer.baseAddress { try copyFloats(of: entry, into: base) }
      count = entry.count
    }
  }

  /// Copies the values of a floating-point tensor, or only those of `range`, to `target`.
  ///
  /// `target` must have room for them. Throws `missingTensor` or `wrongType`; traps if `range` is
  /// not within the tensor.
  package func copyFloats(
    of name: String, range: Range<Int>? = nil, into target: UnsafeMutablePointer<Float>
  ) throws(SafetensorsError) {
    try copyFloats(of: existing(name), range: range, into: target)
  }

  private func copyFloats(
    of entry: Entry, range: Range<Int>? = nil, into target: UnsafeMutablePointer<Float>
  ) throws(SafetensorsError) {
    let range = range ?? 0..<entry.count
    switch entry.type {
    case .float32:
      copy(entry, range, as: UInt32.self) { target[$0] = Float(bitPattern: $1) }
    case .bfloat16:
      copy(entry, range, as: UInt16.self) { target[$0] = Float(bitPattern: UInt32($1) << 16) }
    case .float16:
      copy(entry, range, as: UInt16.self) { target[$0] = Float(Float16(bitPattern: $1)) }
    case .float64:
      copy(entry, range, as: UInt64.self) { target[$0] = Float(Double(bitPattern: $1)) }
    default:
      throw .wrongType(path: path, name: entry.name, type: entry.type.rawValue)
    }
  }

  private func existing(_ name: String) throws(SafetensorsError) -> Entry {
    guard let entry = entry(name) else { throw .missingTensor(path: path, name: name) }
    return entry
  }

  /// Calls `body` with the index, from 0, and the bits of each value of a range.
  ///
  /// The range's pages are released afterwards, so that reading a large file does not fill memory.
  private func copy<Number: FixedWidthInteger & BitwiseCopyable>(
    _ entry: Entry, _ range: Range<Int>, as type: Number.Type, _ body: (Int, Number) -> Void
  ) {
    precondition(range.lowerBound >= 0 && range.upperBound <= entry.count)
    data.withUnsafeBytes { bytes in
      let size = MemoryLayout<Number>.size
      let start = dataStart + entry.bytes.lowerBound + range.lowerBound * size
      for i in 0..<range.count {
        let offset = start + i * size
        body(i, Number(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: type)))
      }
      releasePages(
        UnsafeRawBufferPointer(rebasing: bytes[start..<start + range.count * size]))
    }
  }
}
