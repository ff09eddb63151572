using System.Globalization;

namespace Datacake.Trials.Driving;

/// <summary>The figures of a trial and the requirements it has checked. Thread-safe.</summary>
sealed class Verdict(TextWriter output)
{
    readonly long _start = TimeProvider.System.GetTimestamp();
    readonly Lock _lock = new();
    readonly List<string> _violations = [];     // under the lock
    int _held;                                  // under the lock

    /// <summary>Gets whether at least one requirement was checked and all are met.</summary>
    public bool IsPassed
    {
        get
        {
            lock (_lock)
                return _violations.Count == 0 && _held > 0;
        }
    }

    /// <summary>Prints a line with the time since the trial began.</summary>
    public void Say(string text)
    {
        lock (_lock)
        {
            double seconds = TimeProvider.System.GetElapsedTime(_start).TotalSeconds;
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{seconds,7:F1} s  {text}"));
            output.Flush();
        }
    }

    public void Say(FormattableString text) => Say(FormattableString.Invariant(text));

    /// <summary>Records whether a requirement is met. A violation makes the program end with an error.</summary>
    /// <returns>True if the requirement holds.</returns>
    public bool Require(bool holds, string sentence)
    {
        Say($"{(holds ? "held    " : "VIOLATED")}  {sentence}");
        lock (_lock)
        {
            if (holds)
                _held++;
            else
                _violations.Add(sentence);
        }
        return holds;
    }

    public bool Require(bool holds, FormattableString sentence) => Require(holds, FormattableString.Invariant(sentence));

    /// <summary>Prints a table of figures.</summary>
    public void Print(string title, IReadOnlyList<string[]> rows)
    {
        if (rows.Count == 0)
            return;
        int[] widths = [.. Enumerable.Range(0, rows[0].Length).Select(column => rows.Max(row => row[column].Length))];
        lock (_lock)
        {
            output.WriteLine();
            output.WriteLine(title);
            foreach (string[] row in rows)
                output.WriteLine("  " + string.Join("  ", row.Select((cell, column) => column == 0 ? cell.PadRight(widths[column]) : cell.PadLeft(widths[column]))));
            output.WriteLine();
            output.Flush();
        }
    }

    /// <summary>Prints the outcome and all violations.</summary>
    public void Conclude(string trial)
    {
        lock (_lock)
        {
            output.WriteLine(_violations.Count == 0
                ? $"{trial}: {(_held > 0 ? "passed" : "NOTHING WAS CHECKED")}, {_held} requirements held"
                : $"{trial}: FAILED, {_violations.Count} requirements violated, {_held} held");
            foreach (string violation in _violations)
                output.WriteLine($"  {violation}");
            output.Flush();
        }
    }
}
