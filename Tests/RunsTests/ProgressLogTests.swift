import Foundation
import Layers
import Platform
import Runs
import Tensors
import TestSupport
import Testing
import Training

struct ProgressLogTests {
  /// Trains seven steps with lines after steps 3, 6 and 7; returns the log without its times.
  private func log(_ folder: TemporaryFolder, change: (inout RunSettings) -> Void) throws -> String
  {
    let context = try testContext(folder)
    var settings = RunSettings()
    settings.logEvery = 3
    change(&settings)
    let trainer = try Trainer(
      objective: LineFit(),
      settings: TrainerSettings(
        batchSize: 4, sliceCount: 2,
        schedule: LearningRateSchedule(learningRate: 0.1, steps: 7, warmupSteps: 0),
        adam: AdamHyperparameters(weightDecay: 0), clipNorm: 1),
      world: context.world, processors: [-1], source: LineFit.source)
    let run = try ResumableRun(trainer, context, settings)
    defer { run.end() }
    _ = try run.train(RecordingJob(run))
    return try folder.text("log.txt")
  }

  @Test
  func stepsAreLinesInColumns() throws {
    let text = try log(TemporaryFolder()) { _ in }
    #expect(text.contains(/Z first step after \d+\.\d s\n/), "\(text)")
    for step in [3, 6, 7] {
      let line = try Regex(
        #"Z step  \#(step)/7  loss +\d+\.\d\d  +[\d,]+ tokens/s  \d+:\d\d left\n"#)
      #expect(text.contains(line), "\(text)")
    }
    #expect(!text.contains("estimate"), "less than a minute is left: \(text)")
  }

  @Test
  func decimalsOfTheLossAreASetting() throws {
    let text = try log(TemporaryFolder()) { ($0.lossDecimals, $0.hours) = (4, 1) }
    #expect(text.contains(#/Z step  7/7  loss +\d+\.\d{4} +\d/#), "\(text)")
    #expect(
      text.contains(/Z estimate: \d+ s for 3 steps, of which 3 fit into --hours\n/), "\(text)")
  }

  /// A terminal has a progress line, over which the next line of the log is written.
  @Test
  func theProgressLineIsForTerminalsOnly() throws {
    let folder = try TemporaryFolder()
    let file = try folder.write("", "screen")
    let log = RunLog(path: nil, screen: try #require(FileHandle(forWritingAtPath: file)))
    log.showProgress("step 1")
    log.write("two")
    #expect(try folder.text("screen") == "two\n")

    let (terminal, name) = try pseudoterminal()
    defer { close(terminal) }
    let screen = FileHandle(
      fileDescriptor: open(name, O_WRONLY | O_NOCTTY), closeOnDealloc: true)
    let shown = RunLog(path: nil, screen: screen).prefixed("seed 1: ")
    shown.showProgress("step 1")
    shown.write("two")
    var bytes = [UInt8](repeating: 0, count: 200)
    var text = ""
    while text.utf8.last != UInt8(ascii: "\n") {
      let count = read(terminal, &bytes, bytes.count)
      try #require(count > 0)
      text += String(decoding: bytes.prefix(count), as: UTF8.self)
    }
    #expect(text == "\r\u{1B}[Kseed 1: step 1\r\r\u{1B}[Kseed 1: two\r\n")
  }

  /// The descriptor of a new pseudoterminal, and the path of the terminal at its other end.
  private func pseudoterminal() throws -> (Int32, String) {
    let descriptor = open("/dev/ptmx", O_RDWR | O_NOCTTY)
    var (isLocked, number): (Int32, Int32) = (0, 0)
    let (unlock, getNumber): (UInt, UInt) = (0x4004_5431, 0x8004_5430)  // TIOCSPTLCK, TIOCGPTN
    try #require(descriptor >= 0 && ioctl(descriptor, unlock, &isLocked) == 0)
    try #require(ioctl(descriptor, getNumber, &number) == 0)
    return (descriptor, "/dev/pts/\(number)")
  }
}
