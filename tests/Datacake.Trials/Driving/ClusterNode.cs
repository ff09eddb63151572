using System.Net;
using Datacake.EventualConsistency;
using Datacake.Trials.Network;
using Datacake.Trials.Worker;

namespace Datacake.Trials.Driving;

/// <summary>A node over all its lives: its files, its address, and its current process.</summary>
sealed class ClusterNode(WorkerSettings settings, Host? host, string logFile) : IAsyncDisposable
{
    WorkerProcess? _worker;
    volatile bool _isStarted;

    public byte Id => Settings.NodeId;

    /// <summary>Gets or sets the settings of the next start.</summary>
    public WorkerSettings Settings { get; set; } = settings;

    public Host? Host => host;

    /// <summary>Gets whether the node is started and its process is alive.</summary>
    public bool IsRunning => _isStarted && _worker is { IsGone: false };

    /// <summary>Gets the length of the store's file without the write-ahead log, in bytes.</summary>
    public long FileLength => new FileInfo(Settings.File).Length;

    /// <summary>Gets the length of the write-ahead log, in bytes. The options of the storage bound it.</summary>
    public long LogLength => new FileInfo($"{Settings.File}-wal").Length;

    /// <summary>Starts the node, and its process if that is not running yet. The store may join later.</summary>
    /// <exception cref="InvalidOperationException">The node does not start.</exception>
    public async Task StartAsync()
    {
        var answer = await TryStartAsync();
        if (!answer.IsDone)
            throw new InvalidOperationException($"Node {Id} does not start. {answer.Error}: {answer.Message}");
    }

    /// <summary>Starts only the process, and waits until it accepts commands.</summary>
    public async Task LaunchAsync()
    {
        await KillAsync();
        _worker = WorkerProcess.Start(host, logFile);
        await _worker.SendAsync(new Command(CommandKind.Figures));
    }

    public async Task<Answer> TryStartAsync()
    {
        if (_isStarted || _worker is null or { IsGone: true })
            await LaunchAsync();
        var answer = await SendAsync(new Command(CommandKind.Start) { Settings = Settings });
        _isStarted = answer.IsDone;
        return answer;
    }

    /// <summary>Sends a command. The answer tells whether it succeeded.</summary>
    public Task<Answer> SendAsync(Command command) =>
        _worker is { } worker
            ? worker.SendAsync(command)
            : Task.FromResult(new Answer(0) { Error = WorkerProcess.Gone, Message = $"Node {Id} does not run." });

    /// <summary>Sends a command that must succeed.</summary>
    /// <exception cref="InvalidOperationException">The worker answers with an error.</exception>
    public async Task<Answer> RequireAsync(Command command)
    {
        var answer = await SendAsync(command);
        return answer.IsDone ? answer : throw new InvalidOperationException($"Node {Id} failed to execute {command.Kind}. {answer.Error}: {answer.Message}");
    }

    public Task<Answer> PutAsync(long key, Consistency level, int length = 1, string keyspace = "k") =>
        SendAsync(new Command(CommandKind.Put) { Keyspace = keyspace, Number = key, Length = length, Level = level });

    /// <summary>Leaves the cluster gracefully and ends the process.</summary>
    public async Task StopAsync()
    {
        _isStarted = false;
        await SendAsync(new Command(CommandKind.Stop));
        await KillAsync();
    }

    public async Task KillAsync()
    {
        _isStarted = false;
        if (_worker is null)
            return;
        await _worker.DisposeAsync();
        _worker = null;
    }

    public void Pause() => _worker?.Pause();

    public void Resume() => _worker?.Resume();

    /// <summary>Moves a stopped node to another address.</summary>
    public async Task MoveToAsync(IPAddress address)
    {
        await host!.MoveToAsync(address);
        Settings = Settings with { Listen = new IPEndPoint(address, IPEndPoint.Parse(Settings.Listen).Port).ToString() };
    }

    /// <summary>Removes all files of a stopped node, and lets the next store replace the removed one.</summary>
    public void Wipe()
    {
        Settings = Settings with { TakesOver = true };
        foreach (string file in Files())
            File.Delete(file);
    }

    /// <summary>Copies the files of a stopped node to a folder.</summary>
    public void CopyFilesTo(string folder)
    {
        Directory.CreateDirectory(folder);
        foreach (string file in Files())
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)), overwrite: true);
    }

    /// <summary>Replaces the files of a stopped node by a copy.</summary>
    public void RestoreFilesFrom(string folder)
    {
        Wipe();
        foreach (string file in Directory.GetFiles(folder))
            File.Copy(file, Path.Combine(Path.GetDirectoryName(Settings.File)!, Path.GetFileName(file)));
    }

    public async ValueTask DisposeAsync() => await KillAsync();

    string[] Files() => Directory.GetFiles(Path.GetDirectoryName(Settings.File)!, Path.GetFileName(Settings.File) + "*");
}
