import Electra
import Reports
import Tensors
import Testing

struct MachineSpeedTests {
  @Test
  func bfloat16IsAdvisedFromARatioOfOneAndAFifth() throws {
    for ratio in [1.19, .nan] { #expect(MachineSpeed.advice(.bfloat16, ratio: ratio) == nil) }
    for arithmetic in [Arithmetic.bfloat16, .bfloat16AMX] {
      let advice = try #require(MachineSpeed.advice(arithmetic, ratio: 1.64))
      #expect(advice.contains("1.6 times"))
      #expect(advice.hasSuffix("--arithmetic \(arithmetic.rawValue)"))
    }
  }

  @Test
  func aRunInBfloat16GetsNoAdvice() {
    var configuration = Preset.tiny.configuration(vocabularySize: 100)
    for arithmetic in [Arithmetic.bfloat16, .bfloat16AMX] {
      configuration.arithmetic = arithmetic
      #expect(MachineSpeed.advice(for: configuration) == nil)
    }
  }

  @Test(arguments: Arithmetic.allCases)
  func aRateIsMeasuredInAllArithmetics(arithmetic: Arithmetic) {
    let rate = MachineSpeed.productRate(arithmetic, rows: 64, inner: 32, columns: 48)
    #expect(rate > 1e6 && rate < 1e13)
  }
}
