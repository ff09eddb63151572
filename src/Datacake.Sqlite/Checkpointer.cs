using Datacake.Storage;
using SQLitePCL;

namespace Datacake.Sqlite;

/// <summary>
/// Moves the write-ahead log into the file, so that it stays small. That waits for the disk: a pass beside the commits moves most of it, over a
/// connection of its own, and a commit moves what was added meanwhile, since the log starts again from empty only when the file has all of it.
/// Used under the writer's lock.
/// </summary>
/// <remarks>
/// A checkpoint that fails (because the disk is full, say) is nobody's failure: everything is in the log, and stays there until a later one succeeds.
/// Where it cannot grow any longer, a commit fails.
/// </remarks>
sealed class Checkpointer : IAsyncDisposable
{
    // A commit moves the rest of the log if that is no more than a part of the size. Even a little waits for the disk three times: a buffered
    // commit, which else would not wait, does so only when the log is so many times as large as it should be, and where there are pauses
    // between commits the log has started again before.
    const int RestDivisor = 8;
    const int RestartFactor = 3;

    // Readers that overlap keep the log from starting again, and the disk can be slower than the commits: only from here on these wait, a
    // little for the former, for the latter as long as it takes.
    const int WaitFactor = 4;
    static readonly TimeSpan ReaderTimeout = TimeSpan.FromMilliseconds(100);

    readonly Connection _writer;
    readonly Reader _pin;               // of the writer, which keeps what it sees in the log
    readonly Connection _mover;         // under _moving, as is each checkpoint of the writer's connection
    readonly TimeSpan _busyTimeout;
    readonly int _targetPages;
    readonly Lock _moving = new();
    bool _isClosed;                     // under _moving
    Task _pass = Task.CompletedTask;
    int _passEnd;                       // the size of the log when the last pass was started, or 0 if its outcome has been seen to
    int _passMoved;                     // written by the pass, read when that is done
    int _logPages;
    Durability _durability;             // of the last commit
    int _nextStepAt;
    int _waitAt;
    volatile bool _isDue;

    public Checkpointer(Connection writer, Reader pin, Connection mover, SqliteStorageOptions options)
    {
        _writer = writer;
        _pin = pin;
        _mover = mover;
        _busyTimeout = options.BusyTimeout;
        long pageSize = writer.QueryInteger("PRAGMA page_size");
        _targetPages = (int)Math.Clamp(options.CheckpointBytes / pageSize, 1, int.MaxValue / (2 * WaitFactor));
        // Checkpoints are this class's own affair, and a log that a long snapshot made large gives its space back.
        writer.Execute("PRAGMA wal_autocheckpoint = 0");
        writer.Execute($"PRAGMA journal_size_limit = {WaitFactor * options.CheckpointBytes}");
        // A connection that has not read anything knows of no log.
        mover.QueryInteger("PRAGMA user_version");
        // In place of the automatic checkpoint, which is such a hook, too.
        writer.CountLogPages();
        Begin();
    }

    /// <summary>
    /// Whether a checkpoint was hindered by snapshots, so that it should be made when there are none. May be read by any thread.
    /// </summary>
    public bool IsDue => _isDue;

    bool IsMoving => !_pass.IsCompleted;

    // A log that grows costs a flushed commit more than one that is written over.
    bool MayRestart => _durability == Durability.Flushed || _logPages >= RestartFactor * _targetPages;

    bool IsRestSmall => _logPages - _passMoved <= _targetPages / RestDivisor;

    /// <summary>Before a commit: lets it start the log again, if the last pass has moved all of it.</summary>
    public void BeforeCommit()
    {
        if (_passEnd > 0 && !IsMoving && _passMoved == _logPages)
            _pin.End();
    }

    /// <summary>After a commit: does what is due, without waiting for the disk or for snapshots unless it must.</summary>
    public void AfterCommit(Durability durability)
    {
        _durability = durability;
        int logPages = _writer.LogPages;
        if (logPages < _logPages)
            Begin();
        _logPages = logPages;
        if (logPages >= _waitAt)
            Restart();
        else if (logPages >= _nextStepAt && !IsMoving)
            Step();
    }

    /// <summary>There are no snapshots any more that hindered the last checkpoint.</summary>
    public void OnUnhindered()
    {
        if (!_isDue)
            return;
        if (MayRestart && IsRestSmall)
            MoveRest();
        else if (!IsMoving)
            StartPass();
    }

    /// <summary>Moves the whole log and makes its file empty, as soon as no snapshot needs it.</summary>
    public void Truncate()
    {
        _pin.End();
        lock (_moving)
            _isDue = !TryPatiently(raw.SQLITE_CHECKPOINT_TRUNCATE, out _);
    }

    /// <summary>Waits for the pass under way. There must be no commits any more.</summary>
    public async ValueTask DisposeAsync()
    {
        lock (_moving)
            _isClosed = true;
        await _pass.ConfigureAwait(false);
        _mover.Dispose();
    }

    /// <summary>The log has started again.</summary>
    void Begin()
    {
        _nextStepAt = _targetPages;
        _waitAt = WaitFactor * _targetPages;
        _passEnd = 0;
        _passMoved = 0;
        _isDue = false;
    }

    void Step()
    {
        if (_passEnd == 0)
            StartPass();
        else if (_passMoved < _passEnd)
            StepLater(isHindered: true);
        else if (MayRestart && IsRestSmall)
            MoveRest();
        else
            StartPass();
    }

    void StepLater(bool isHindered)
    {
        _passEnd = 0;
        _nextStepAt = _logPages + _targetPages;
        _isDue = isHindered;
    }

    void StartPass()
    {
        // Else the pass would end where the pin does.
        _pin.End();
        _isDue = false;
        _passEnd = _logPages;
        _nextStepAt = MayRestart ? _logPages : _logPages + _targetPages;
        // It waits for the disk all the time, so that a thread of the pool would be missing elsewhere.
        _pass = Task.Factory.StartNew(
            Pass, CancellationToken.None, TaskCreationOptions.LongRunning | TaskCreationOptions.DenyChildAttach, TaskScheduler.Default);
    }

    void Pass()
    {
        lock (_moving)
        {
            if (_isClosed)
                return;
            _mover.TryCheckpoint(raw.SQLITE_CHECKPOINT_PASSIVE, out _, out _passMoved);
            if (_passMoved < _passEnd)
                _isDue = true;
        }
    }

    /// <summary>Moves what the last pass has left, so that the next commit starts the log again unless a snapshot reads from it.</summary>
    void MoveRest()
    {
        _pin.End();
        lock (_moving)
            StepLater(isHindered: !_writer.TryCheckpoint(raw.SQLITE_CHECKPOINT_PASSIVE, out _, out _passMoved));
    }

    /// <summary>
    /// Moves what it can, and then waits a little for the snapshots that are open: new ones meanwhile read from the file alone. A snapshot that
    /// stays open for longer lets the log grow, and costs a wait only each time the log has grown by as much again.
    /// </summary>
    void Restart()
    {
        MoveRest();
        lock (_moving)
        {
            bool isRestarted = TryPatiently(raw.SQLITE_CHECKPOINT_RESTART, out int logPages);
            _isDue = !isRestarted;
            _waitAt = WaitFactor * _targetPages + (isRestarted ? 0 : logPages);
        }
    }

    bool TryPatiently(int mode, out int logPages)
    {
        _writer.BusyTimeout = ReaderTimeout;
        bool isDone = _writer.TryCheckpoint(mode, out logPages, out _passMoved);
        _writer.BusyTimeout = _busyTimeout;
        return isDone;
    }
}
