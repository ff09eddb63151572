using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Datacake.Trials.Network;
using Datacake.Trials.Worker;

namespace Datacake.Trials.Driving;

/// <summary>One life of a node: a process that accepts commands. Thread-safe.</summary>
sealed class WorkerProcess : IAsyncDisposable
{
    /// <summary>The error of a command that the process did not answer before it ended.</summary>
    public const string Gone = "ProcessGone";

    readonly Process _process;
    readonly ConcurrentDictionary<long, TaskCompletionSource<Answer>> _pending = new();
    readonly SemaphoreSlim _sending = new(1);
    readonly Task _reading;
    long _lastId;
    volatile bool _isGone;

    WorkerProcess(Process process, string logFile)
    {
        _process = process;
        _reading = Task.WhenAll(ReadAnswersAsync(), ReadLogAsync(logFile));
    }

    public bool IsGone => _isGone;

    /// <summary>Starts a process, in the host's namespace if a host is given. The process's log is appended to a file.</summary>
    public static WorkerProcess Start(Host? host, string logFile)
    {
        string program = Path.Combine(AppContext.BaseDirectory, "Datacake.Trials");
        string[] command = host is null ? [program, "node"] : ["ip", "netns", "exec", host.Name, program, "node"];
        var start = new ProcessStartInfo(command[0], command[1..])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardInputEncoding = new UTF8Encoding(false),
            StandardOutputEncoding = Encoding.UTF8,
        };
        return new WorkerProcess(Process.Start(start)!, logFile);
    }

    /// <summary>Sends a command and waits for the answer. If the process has ended, the answer has the error <see cref="Gone"/>.</summary>
    public async Task<Answer> SendAsync(Command command)
    {
        long id = Interlocked.Increment(ref _lastId);
        var answered = new TaskCompletionSource<Answer>(TaskCreationOptions.RunContinuationsAsynchronously);
        _pending[id] = answered;
        string line = JsonSerializer.Serialize(command with { Id = id }, WorkerMode.Json);
        await _sending.WaitAsync();
        try
        {
            await _process.StandardInput.WriteLineAsync(line);
            await _process.StandardInput.FlushAsync();
        }
        catch (IOException)
        {
            // The process has ended; the reading task notices.
        }
        finally
        {
            _sending.Release();
        }
        if (_isGone)
            Abandon();
        return await answered.Task;
    }

    /// <summary>Kills the process (SIGKILL) and waits until it has ended.</summary>
    public async Task KillAsync()
    {
        Native.Signal(_process.Id, Native.SigKill);
        await _process.WaitForExitAsync();
        await _reading;
    }

    public void Pause() => Native.Signal(_process.Id, Native.SigStop);

    public void Resume() => Native.Signal(_process.Id, Native.SigContinue);

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            await KillAsync();
        await _reading;
        _process.Dispose();
        _sending.Dispose();
    }

    async Task ReadAnswersAsync()
    {
        while (await _process.StandardOutput.ReadLineAsync() is { } line)
        {
            // The last line of a killed process may be incomplete.
            if (TryParse(line) is { } answer && _pending.TryRemove(answer.Id, out var answered))
                answered.TrySetResult(answer);
        }
        _isGone = true;
        Abandon();
    }

    void Abandon()
    {
        foreach (long id in _pending.Keys)
        {
            if (_pending.TryRemove(id, out var answered))
                answered.TrySetResult(new Answer(id) { Error = Gone, Message = "The process ended before it answered." });
        }
    }

    async Task ReadLogAsync(string file)
    {
        await using var log = new StreamWriter(file, append: true) { AutoFlush = true };
        await log.WriteLineAsync($"--- process {_process.Id}, {DateTime.UtcNow:HH:mm:ss.fff}");
        while (await _process.StandardError.ReadLineAsync() is { } line)
            await log.WriteLineAsync(line);
    }

    static Answer? TryParse(string line)
    {
        try
        {
            return JsonSerializer.Deserialize<Answer>(line, WorkerMode.Json);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
