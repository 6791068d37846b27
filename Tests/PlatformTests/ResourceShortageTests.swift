import Platform
import Tensors
import Testing

struct ResourceShortageTests {
  @Test
  func memoryThatIsRefusedEndsTheProgramWithASentence() async {
    let result = await #expect(
      processExitsWith: .exitCode(ResourceShortage.status), observing: [\.standardErrorContent]
    ) {
      _ = Storage(count: 1 << 50)
    }
    let text = result.map { String(decoding: $0.standardErrorContent, as: UTF8.self) } ?? ""
    #expect(text.contains("electra: out of memory on "), "\(text)")
    #expect(text.contains(": 4503599628 MB more are needed"), "\(text)")
    #expect(text.split(separator: "\n").count == 1, "no backtrace: \(text)")
  }
}
