import Collectives
import Runs
import Tensors
import Testing

struct KernelSelectionTests {
  private typealias Rank = KernelSelection.Rank

  @Test
  func theLogNamesTheKernelOfAllRanksOnce() throws {
    let same = KernelSelection(
      .bfloat16,
      [Rank(host: "n1", kernel: .avx2, failed: []), Rank(host: "n2", kernel: .avx2, failed: [])])
    #expect(same.summary == "arithmetic: bfloat16, AVX2 kernel (no faster than float32)")
    #expect(same.warnings == [])
    let tiles = KernelSelection(.bfloat16AMX, [Rank(host: "n1", kernel: .amx, failed: [])])
    #expect(tiles.summary == "arithmetic: bfloat16-amx, AMX kernel")
    let float32 = try KernelSelection(.float32, .alone())
    #expect(float32.summary == nil && float32.warnings == [])
  }

  @Test
  func unequalKernelsAreNamedWithTheirHosts() {
    let ranks = ["n1", "n2", "n2", "n3"].map {
      Rank(host: $0, kernel: $0 == "n1" ? .avx2 : .avx512BF16, failed: [])
    }
    #expect(
      KernelSelection(.bfloat16, ranks).summary
        == "arithmetic: bfloat16, AVX2 kernel (no faster than float32) on n1; AVX512-BF16 kernel on "
        + "n2, n3")
  }

  /// Both ranks of n2 found the failure.
  @Test
  func aFailedKernelIsReportedOncePerHost() {
    let good = Rank(host: "n1", kernel: .avx512BF16, failed: [])
    let bad = Rank(host: "n2", kernel: .avx2, failed: [.avx512BF16])
    #expect(
      KernelSelection(.bfloat16, [good, bad, bad]).warnings == [
        "warning: the AVX512-BF16 kernel of host n2 gives other bits than AVX2; using AVX2"
      ])
  }
}
