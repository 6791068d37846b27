import Electra
import Foundation
import Layers
import Models
import Tensors
import TestSupport
import Testing
import Tokenization

struct DetectorTests {
  /// Lines that are empty, longer than the model accepts, and longer than a group.
  private static let lines =
    ["", "the cat", "The catt sat!", String(repeating: "the cat sat ", count: 20)]
    + (0..<150).map { "cat \(String(repeating: "mat ", count: $0 % 9))sat" }
    + [String(repeating: "mat cat ", count: 600), "the end"]

  private func detect(_ path: String, threads: Int) throws -> [DetectedText] {
    try DetectedText.of(Self.lines, path, threads: threads)
  }

  @Test
  func threadsDoNotChangeABit() throws {
    let folder = try TemporaryFolder()
    try writeRun(folder.file("run"))
    let alone = try detect(folder.file("run"), threads: 1)
    #expect(alone.map(\.text) == Self.lines)
    for threads in [2, 3] {
      let many = try detect(folder.file("run"), threads: threads)
      #expect(many.map(\.logits) == alone.map(\.logits) && many.map(\.ids) == alone.map(\.ids))
    }
  }

  /// The reference evaluates each part of a line by itself.
  ///
  /// In float32, products over other numbers of rows may add in another order, which changes logits
  /// of order 1 by about 1e-6.
  @Test
  func logitsAreThoseOfEachLineByItself() throws {
    let folder = try TemporaryFolder()
    let (model, weights) = try writeRun(folder.file("run"))
    let discriminator = StandaloneDiscriminator(model.sizes[.discriminator])
    let own = Storage(count: discriminator.layout.count)
    for parameter in discriminator.layout.parameters {
      let source = try #require(model.layout[parameter.name])
      for i in 0..<parameter.count {
        own.base[parameter.offset + i] = weights.base[source.offset + i]
      }
    }
    let arena = Arena(capacity: discriminator.capacity(BatchShape(tokens: 12, longest: 12)))
    for text in try detect(folder.file("run"), threads: 2).prefix(60) {
      var wanted: [Float] = []
      for start in stride(from: 0, to: text.ids.count, by: 12) {
        let ids = text.ids[start..<min(start + 12, text.ids.count)]
        #expect(text.tokens[start] == "[CLS]" && text.tokens[ids.endIndex - 1] == "[SEP]")
        var batch = Batch()
        batch.append(tokens: ids, segmentIDs: repeatElement(0, count: ids.count))
        wanted += discriminator.detect(batch, weights: Weights(own), arena: arena)
      }
      #expect(wanted.count == text.logits.count)
      #expect(zip(wanted, text.logits).allSatisfy { abs($0 - $1) < 1e-5 })
    }
  }

  @Test
  func linesBeforeAnErrorAreStillGiven() throws {
    struct Torn: Error {}
    let folder = try TemporaryFolder()
    try writeRun(folder.file("run"))
    let detector = try Detector(PretrainedDiscriminator(from: folder.file("run")), threads: 2)
    defer { detector.end() }
    var (lines, given) = (["the cat\r", "sat"][...], [String]())
    let next = {
      guard let line = lines.popFirst() else { throw Torn() }
      return line
    }
    #expect(throws: Torn.self) {
      try detector.detect(next, planted: false) { given.append($0.text) }
    }
    // A carriage return does not belong to the line.
    #expect(given == ["the cat", "sat"])
  }
}
