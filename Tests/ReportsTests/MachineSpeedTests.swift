import Electra
import Reports
import Tensors
import Testing

struct MachineSpeedTests {
  @Test
  func bfloat16IsAdvisedFromARatioOfOneAndAFifth() throws {
    #expect(MachineSpeed.advice(ratio: 1.19) == nil && MachineSpeed.advice(ratio: .nan) == nil)
    let advice = try #require(MachineSpeed.advice(ratio: 1.64))
    #expect(advice.contains("1.6 times") && advice.contains("--arithmetic bfloat16"))
  }

  @Test
  func aRunInBfloat16GetsNoAdvice() {
    var configuration = Preset.tiny.configuration(vocabularySize: 100)
    configuration.arithmetic = .bfloat16
    #expect(MachineSpeed.advice(for: configuration) == nil)
  }

  @Test(arguments: Arithmetic.allCases)
  func aRateIsMeasuredInBothArithmetics(arithmetic: Arithmetic) {
    let rate = MachineSpeed.productRate(arithmetic, rows: 64, inner: 32, columns: 48)
    #expect(rate > 1e6 && rate < 1e13)
  }
}
