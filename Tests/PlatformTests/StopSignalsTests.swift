import Foundation
import Platform
import Testing

/// Each test sends signals to a separate process.
struct StopSignalsTests {
  @Test
  func theFirstRequestLetsTheRunGoOn() async {
    await #expect(processExitsWith: .exitCode(0)) {
      StopSignals.install()
      #expect(!StopSignals.isRequested && !StopSignals.isTerminated)
      raise(SIGUSR1)
      #expect(StopSignals.isRequested && !StopSignals.isTerminated)
      exit(0)
    }
  }

  @Test
  func theSecondRequestEndsTheProgramAtOnce() async {
    await #expect(processExitsWith: .exitCode(75)) {
      StopSignals.install()
      raise(SIGINT)
      raise(SIGTERM)
      exit(0)
    }
  }

  /// Shells and terminals send SIGHUP more than once.
  @Test
  func aTerminalThatClosesTwiceAsksOnce() async {
    await #expect(processExitsWith: .exitCode(0)) {
      signal(SIGHUP, SIG_DFL)
      StopSignals.install()
      raise(SIGHUP)
      raise(SIGHUP)
      exit(StopSignals.isRequested && !StopSignals.isTerminated ? 0 : 1)
    }
  }

  @Test
  func underNohupATerminalThatClosesDoesNotAsk() async {
    await #expect(processExitsWith: .exitCode(0)) {
      signal(SIGHUP, SIG_IGN)
      StopSignals.install()
      raise(SIGHUP)
      exit(StopSignals.isRequested ? 1 : 0)
    }
  }

  @Test
  func sigtermIsToldFromOtherRequests() async {
    await #expect(processExitsWith: .exitCode(0)) {
      StopSignals.install()
      raise(SIGTERM)
      exit(StopSignals.isTerminated ? 0 : 1)
    }
  }
}
