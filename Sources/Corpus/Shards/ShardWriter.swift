import Foundation
import Platform

/// Writes examples to shard files, block by block.
///
/// The files are `NAME-00000.tokens`, `NAME-00001.tokens` and so on, or a single `NAME.tokens`.
final class ShardWriter {
  private let folder: String
  private let name: String
  private let isNumbered: Bool
  private let tokenBytes: Int
  private let vocabulary: UInt64
  private var pending: [Example] = []
  private let fault: FaultHook
  private var file: DurableFile?
  private var table: [UInt8] = []
  private var fileExamples = 0
  /// The closed files.
  private(set) var files: [DataDescription.File] = []
  private(set) var exampleCount = 0

  init(
    folder: String, name: String, isNumbered: Bool, vocabularySize: Int, vocabularyDigest: String,
    fault: @escaping FaultHook
  ) {
    self.fault = fault
    self.folder = folder
    self.name = name
    self.isNumbered = isNumbered
    tokenBytes = ShardFormat.tokenBytes(vocabularySize: vocabularySize)
    vocabulary = ShardFormat.vocabularyMark(vocabularyDigest)
  }

  /// Adds the next example; throws `FileError`.
  func add(_ example: Example) throws {
    pending.append(example)
    exampleCount += 1
    if pending.count == ShardFormat.blockExamples { try writeBlock() }
  }

  /// Writes the remaining examples and closes the last file; creates an empty file if there are
  /// none.
  func finish() throws {
    if !pending.isEmpty || files.isEmpty && file == nil { try writeBlock() }
    try closeFile()
  }

  private func writeBlock() throws {
    if self.file == nil { self.file = try openFile() }
    guard let file, !pending.isEmpty else { return }
    var block: [UInt8] = []
    block.reserveCapacity(1 << 20)
    for example in pending { block.append(number: UInt16(example.tokens.count)) }
    for example in pending { block.append(number: UInt16(example.firstLength)) }
    for example in pending {
      for token in example.tokens { block.append(token: token, size: tokenBytes) }
    }
    table.append(number: UInt64(file.size))
    table.append(number: UInt32(block.count))
    table.append(number: block.withUnsafeBytes { CRC32C.of($0) })
    try file.write(block)
    fileExamples += pending.count
    pending.removeAll(keepingCapacity: true)
    if isNumbered && file.size >= ShardFormat.fileBytes { try closeFile() }
  }

  private func openFile() throws -> DurableFile {
    let number = isNumbered ? "-" + files.count.zeroPadded(5) : ""
    let file = try DurableFile(path: "\(folder)/\(name)\(number).tokens", fault: fault)
    try file.write([UInt8](repeating: 0, count: ShardFormat.headerBytes))
    return file
  }

  /// Writes the block table, then the header at the start of the file.
  ///
  /// The header is zero until then, so an incomplete file is never valid.
  private func closeFile() throws {
    guard let file else { return }
    let tableOffset = file.size
    var header = ShardFormat.magic
    header.append(number: ShardFormat.version)
    header.append(number: UInt32(tokenBytes))
    header.append(number: UInt32(ShardFormat.blockExamples))
    header.append(number: UInt32(table.count / ShardFormat.tableEntryBytes))
    header.append(number: UInt64(fileExamples))
    header.append(number: UInt64(tableOffset))
    header.append(number: vocabulary)
    header += [UInt8](repeating: 0, count: ShardFormat.headerBytes - 4 - header.count)
    header.append(number: header.withUnsafeBytes { CRC32C.of($0) })
    let tableChecksum = table.withUnsafeBytes { CRC32C.of($0) }
    table.append(number: tableChecksum)
    try file.write(table)
    try file.finish(header: header)
    files.append(
      DataDescription.File(
        name: (file.path as NSString).lastPathComponent, bytes: file.size, examples: fileExamples,
        checksum: String(tableChecksum, radix: 16)))
    self.file = nil
    table = []
    fileExamples = 0
  }
}
