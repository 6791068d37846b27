import Electra
import Foundation
import Layers
import Platform
import Training

/// A report as one page that needs nothing beside itself: no network, no file.
package struct ReportPage {
  private let subjects: ReportSubjects
  private let tables: ReportTables

  package init(_ subjects: ReportSubjects) {
    self.subjects = subjects
    tables = ReportTables(subjects)
  }

  private var title: String {
    let names = subjects.runs.map(\.name)
    switch names.count {
    case 0: return "Fine-tuning results"
    case 1...3: return names.formatted(.list(type: .and).locale(Locale(identifier: "en")))
    default: return "\(names.count) runs"
    }
  }

  package var html: String {
    """
    <!DOCTYPE html>
    <html lang="en">
    <head>
    <meta charset="utf-8"/>
    <meta name="viewport" content="width=device-width, initial-scale=1"/>
    <meta name="color-scheme" content="light dark"/>
    <title>electra: \(title.inXML)</title>
    <style>
    \(Self.text(PackageResources.report_css))</style>
    </head>
    <body>
    <header>
    <p class="kicker">electra report</p>
    <h1>\(title.inXML)</h1>
    </header>
    <main>
    \(sections.joined(separator: "\n"))
    </main>
    <footer>Made by electra \(programVersion). Held-out figures are without dropout. The published curve is that
    of the paper's small model on OpenWebText, with a vocabulary of 30,522, read off the author's picture
    (google-research/electra, issue 3): losses over another vocabulary or other text are other losses.</footer>
    <script>
    \(Self.text(PackageResources.report_js))</script>
    </body>
    </html>

    """
  }

  /// A resource, which ends in a new line: `report.css`, for paper white and the dark and from a phone's
  /// width on, or `report.js`, which shows the values of curves under the pointer.
  private static func text(_ resource: [UInt8]) -> String {
    String(decoding: resource, as: UTF8.self)
  }

  private var sections: [String] {
    var parts: [String] = []
    if !subjects.runs.isEmpty {
      parts.append(section("Runs", tables.overview.html))
      parts.append(section("Health", health))
      let charts = ReportCharts(subjects.runs).groups
      for (index, group) in charts.enumerated() {
        let figures = "<div class=\"figures\">\(group.figures.joined(separator: "\n"))</div>"
        parts.append(section(group.title, (index == 0 ? legend : "") + figures))
      }
      if let table = tables.heldOut { parts.append(section("Held-out text", table.html)) }
    }
    if let table = tables.finetuning { parts.append(section("Fine-tuning", table.html)) }
    if let table = tables.settings {
      let title = subjects.runs.count > 1 ? "Where the runs differ" : "Settings of its own"
      parts.append(section(title, table.html))
    }
    return parts
  }

  private func section(_ title: String, _ body: String) -> String {
    "<section>\n<h2>\(title.inXML)</h2>\n\(body)\n</section>"
  }

  /// What the runs found wrong with themselves.
  private var health: String {
    let verdicts = subjects.runs.flatMap { run in
      run.verdicts.map { line in
        let name = (line.text(.verdict) ?? "").replacingOccurrences(of: "-", with: " ")
        let severity = line.text(.severity) ?? ""
        return "<li class=\"\(severity)\"><b>\(run.name.inXML), step \(line.step.grouped): "
          + "\(name.inXML)</b> <small>\(severity.inXML)</small><br/>"
          + "\((line.text(.sentence) ?? "").inXML)</li>"
      }
    }
    let silent = subjects.runs.filter(\.verdicts.isEmpty).map(\.name).joined(separator: ", ")
    return (verdicts.isEmpty ? "" : "<ul class=\"verdicts\">\(verdicts.joined())</ul>")
      + (silent.isEmpty ? "" : "<p class=\"quiet\">\(silent.inXML): nothing found.</p>")
  }

  /// Whose colour is whose, and what kinds of line there are.
  private var legend: String {
    let runs = subjects.runs.enumerated().map { number, run in
      "<li><i style=\"background:\(ReportCharts.color(number))\"></i>\(run.name.inXML)</li>"
    }
    let kinds = [
      ("1.2", " opacity=\".55\"", "training"), ("2", "", "held out"),
      ("1.2", " stroke-dasharray=\"4 3\"", "published small, where runs get that far"),
    ].map { width, style, name in
      "<li><svg width=\"26\" height=\"8\"><line x1=\"0\" x2=\"26\" y1=\"4\" y2=\"4\" "
        + "stroke=\"currentColor\" stroke-width=\"\(width)\"\(style)/></svg>\(name)</li>"
    }
    return "<ul class=\"legend\">\((runs + kinds).joined())</ul>"
  }
}
