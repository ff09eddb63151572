using System.Diagnostics;
using System.Text;
using System.Threading.Channels;

namespace Datacake.Quickstart.Tests;

/// <summary>The sample, run as an operating system process.</summary>
sealed class QuickstartProcess : IAsyncDisposable
{
    static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    readonly Process _process;
    readonly Channel<string> _lines = Channel.CreateUnbounded<string>();
    readonly StringBuilder _transcript = new();     // under its own lock
    readonly Task _reading;

    QuickstartProcess(Process process)
    {
        _process = process;
        _reading = Task.WhenAll(ReadAsync(process.StandardOutput), ReadAsync(process.StandardError));
    }

    public int Id => _process.Id;

    /// <summary>Gets all output of the process so far, errors included.</summary>
    public string Output
    {
        get
        {
            lock (_transcript)
                return _transcript.ToString();
        }
    }

    public static QuickstartProcess Start(IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null)
    {
        string program = Path.Combine(AppContext.BaseDirectory, "Quickstart" + (OperatingSystem.IsWindows() ? ".exe" : ""));
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.UTF8,
        };
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
            start.Environment[name] = value;
        return new QuickstartProcess(Process.Start(start)!);
    }

    public async Task SendAsync(string command)
    {
        await _process.StandardInput.WriteLineAsync(command);
        await _process.StandardInput.FlushAsync();
    }

    /// <summary>Sends a command and returns the first line of output after it that has one of the given prefixes.</summary>
    public async Task<string> AskAsync(string command, params string[] answerStarts)
    {
        while (_lines.Reader.TryRead(out _))
        {
        }
        await SendAsync(command);
        return await ExpectAsync(answerStarts);
    }

    /// <summary>Reads output until a line has one of the given prefixes, and returns that line.</summary>
    public async Task<string> ExpectAsync(params string[] starts)
    {
        using var deadline = new CancellationTokenSource(Deadline);
        try
        {
            while (true)
            {
                string line = await _lines.Reader.ReadAsync(deadline.Token);
                if (starts.Any(start => line.StartsWith(start, StringComparison.Ordinal)))
                    return line;
            }
        }
        catch (Exception e) when (e is OperationCanceledException or ChannelClosedException)
        {
            throw new TimeoutException($"The process did not print '{string.Join("…' or '", starts)}…'. It printed:\n{Output}", e);
        }
    }

    /// <summary>Closes the input of the process and waits until the process has ended.</summary>
    public async Task<int> EndAsync()
    {
        _process.StandardInput.Close();
        using var deadline = new CancellationTokenSource(Deadline);
        await _process.WaitForExitAsync(deadline.Token);
        await _reading;
        return _process.ExitCode;
    }

    /// <summary>Ends the process without any chance to clean up.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            await KillAsync();
        await _reading;
        _process.Dispose();
    }

    async Task ReadAsync(StreamReader reader)
    {
        while (await reader.ReadLineAsync() is { } line)
        {
            lock (_transcript)
                _transcript.AppendLine(line);
            _lines.Writer.TryWrite(line);
        }
    }
}
