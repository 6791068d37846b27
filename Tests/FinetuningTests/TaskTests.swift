import Finetuning
import Foundation
import Testing

struct TaskTests {
  @Test
  func everyTaskIsFoundByItsName() throws {
    for task in Task.all { #expect(try Task.named(task.name) == task) }
    #expect(Set(Task.all.map(\.name)).count == 14)
    #expect(sentence { _ = try Task.named("bert") }.contains("the tasks are cola, sst2"))
  }

  @Test
  func everyTaskIsTheSameAfterJSON() throws {
    let custom = Task.custom(.tagging, .words(WordColumns(word: 2, tagField: "ner")))
    for task in Task.all + [custom] {
      let data = try JSONEncoder().encode(task)
      #expect(try JSONDecoder().decode(Task.self, from: data) == task)
    }
  }

  @Test
  func settingsAreThoseOfThePaper() throws {
    let long = Task.all.filter { $0.epochs == 10 }.map(\.name)
    let short = Task.all.filter { $0.epochs == 2 }.map(\.name)
    #expect(long == ["stsb", "rte"] && short == ["squad1", "squad2"])
    #expect(Task.all.filter(\.bothOrders).map(\.name) == ["mrpc", "stsb"])
    #expect(try Task.named("cola").metrics.first == .matthews)
  }
}
