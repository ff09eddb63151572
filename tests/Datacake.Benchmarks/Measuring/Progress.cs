using System.Diagnostics;
using System.Globalization;

namespace Datacake.Benchmarks.Measuring;

/// <summary>The progress report on the error stream: the current cell, the elapsed time and the estimated remaining time.</summary>
sealed class Progress(TextWriter output, bool showsSteps)
{
    readonly long _started = Stopwatch.GetTimestamp();
    int _planned;
    int _begun;
    string _cell = "";

    /// <summary>Counts a planned cell.</summary>
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

    /// <summary>Shows the current step of the cell on a terminal, in place of the previous step.</summary>
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
