import Tensors
import TestSupport
import Testing

struct RandomStreamTests {
  /// Known answers of Philox 4x32-10, published with the Random123 library.
  @Test
  func blocksAreThePublishedOnes() {
    let zero = RandomStream(seed: 0, site: 0, step: 0, sequence: 0)
    #expect(zero.block(0) == SIMD4(0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8))
    let ones = RandomStream(
      seed: .max, site: .max, step: 0xFFFF_FFFF, sequence: 0xFFFF_FFFF)
    #expect(ones.block(.max) == SIMD4(0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd))
    let pi = RandomStream(
      seed: 0x299f_31d0_a409_3822, site: 0x85a3_08d3, step: 0x1319_8a2e, sequence: 0x0370_7344)
    #expect(pi.block(0x243f_6a88) == SIMD4(0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1))
  }

  @Test
  func aUniformNumberHasTheUpperBitsOfTwoWords() {
    let zero = RandomStream(seed: 0, site: 0, step: 0, sequence: 0)
    #expect(zero.uniform(0) == Double(0x6627_e8d5_e169_c58d >> 11) * 0x1p-53)
    #expect(zero.uniform(0) != zero.uniform(1))
  }

  @Test
  func numbersBelowABoundAreUniform() {
    let stream = RandomStream(seed: 1, site: 2, step: 3, sequence: 4)
    var hits = Array(repeating: 0, count: 7)
    for i in 0..<70_000 { hits[stream.number(below: 7, index: i)] += 1 }
    #expect(hits.allSatisfy { abs($0 - 10_000) < 400 })
  }

  @Test
  func sitesHaveDifferentNumbers() {
    let names = (0..<24).flatMap { layer in
      ["generator", "discriminator"].flatMap { network in
        ["attention.self.probabilities", "attention.output", "output"].map {
          "dropout:\(network).encoder.layer.\(layer).\($0)"
        }
      }
    }
    #expect(Set(names.map(RandomStream.site)).count == names.count)
  }
}

struct DropoutTests {
  @Test(arguments: [1, 7, 63, 64, 65, 200])
  func theRightShareIsDroppedAndTheRestScaled(width: Int) {
    let rows = 40_000 / width
    let storage = Storage(count: rows * width)
    let tensor = Tensor(base: storage.base, rows: rows, columns: width)
    tensor.fill(1)
    let random = RandomStream(seed: 5, site: 1, step: 2, sequence: 3)
    tensor.applyDropout(DropoutStream(random, rate: 0.1), into: tensor)
    let dropped = (0..<tensor.count).count { tensor.base[$0] == 0 }
    let share = Double(dropped) / Double(tensor.count)
    #expect(abs(share - 0.1) < 0.006)  // four standard deviations
    let kept = (0..<tensor.count).filter { tensor.base[$0] != 0 }
    #expect(kept.allSatisfy { abs(tensor.base[$0] - 1 / 0.9) < 1e-4 })
  }

  /// The scale of a rate that rounds to 1 was infinite, and attention multiplies sums of 0 by it.
  @Test
  func theScaleOfTheLargestRateIsFinite() {
    let random = RandomStream(seed: 5, site: 1, step: 2, sequence: 3)
    #expect(DropoutStream(random, rate: Float(1).nextDown).scale == 65536)
    #expect(DropoutStream(random, rate: 0.5).scale == 2)
  }

  @Test
  func aRowIsTheSameWhereverItIsComputed() {
    let storage = Storage(count: 30 * 50)
    let tensor = Tensor(base: storage.base, rows: 30, columns: 50)
    let dropout = DropoutStream(
      RandomStream(seed: 5, site: 1, step: 2, sequence: 3), rate: 0.3)
    tensor.fill(1)
    tensor.applyDropout(dropout, into: tensor)
    let again = Storage(count: 50)
    again[0..<50].fill(1)
    again[0..<50].applyDropout(dropout, firstRow: 17, into: again[0..<50])
    for i in 0..<50 { #expect(again.base[i] == tensor[17, i]) }
  }
}
