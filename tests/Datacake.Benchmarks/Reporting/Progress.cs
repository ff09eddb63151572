using System.Diagnostics;
using System.Globalization;

namespace Datacake.Benchmarks.Reporting;

/// <summary>Says on the error stream what is being measured, how far it is, and how long the rest may take.</summary>
sealed class Progress(TextWriter output, bool showsSteps)
{
    readonly long _started = Stopwatch.GetTimestamp();
    int _planned;
    int _begun;
    string _cell = "";

    /// <summary>Another cell is to come.</summary>
    public void Plan() => _planned++;

    public void Begin(string cell)
    {
        _begun++;
        var elapsed = Stopwatch.GetElapsedTime(_started);
        string left = _begun == 1 ? "" : string.Create(CultureInfo.InvariantCulture, $", {elapsed * (_planned - _begun + 1) / (_begun - 1):mm\\:ss} to go");
        _cell = string.Create(CultureInfo.InvariantCulture, $"[{_begun}/{_planned}, {elapsed:mm\\:ss}{left}] {cell}");
        if (!showsSteps)
            output.WriteLine(_cell);
    }

    /// <summary>What the cell is at: on a terminal, a line that the next one replaces.</summary>
    public void Step(string step)
    {
        if (showsSteps)
            output.Write($"\r\e[K{_cell}: {step}");
    }

    public void Failed(string failure) => output.WriteLine(showsSteps ? $"\r\e[K{failure}" : failure);

    public void End()
    {
        if (showsSteps)
            output.Write("\r\e[K");
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{_begun} cells in {Stopwatch.GetElapsedTime(_started):mm\\:ss}"));
    }
}
