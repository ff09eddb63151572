using Datacake.Storage;
using SQLitePCL;

namespace Datacake.Sqlite;

/// <summary>
/// The component that keeps the write-ahead log small by moving it into the file (checkpointing). Moving waits for the disk, so a background
/// pass over a separate connection moves most of the log while commits continue. A commit moves what was added meanwhile, because the log
/// restarts from empty only when the file has all of it. Used under the writer's lock.
/// </summary>
/// <remarks>
/// A failed checkpoint, for example on a full disk, is not reported: all data is in the log, and stays there until a later checkpoint
/// succeeds. When the log cannot grow any further, a commit fails.
/// </remarks>
sealed class Checkpointer : IAsyncDisposable
{
    // A commit moves the rest of the log if the rest is at most this fraction of the target size. Moving even a small rest waits for the disk
    // three times. A buffered commit, which otherwise never waits, therefore does this only when the log has reached RestartFactor times the
    // target size. If there are pauses between commits, the log restarts before that.
    const int RestDivisor = 8;
    const int RestartFactor = 3;

    // Overlapping readers can keep the log from restarting, and the disk can be slower than the commits. Commits wait only from this multiple
    // of the target size on: for readers up to the timeout, and for the disk as long as it takes.
    const int WaitFactor = 4;
    static readonly TimeSpan ReaderTimeout = TimeSpan.FromMilliseconds(100);

    readonly Connection _writer;
    readonly Reader _pin;               // The writer's reader. What it sees stays in the log until it ends.
    readonly Connection _mover;         // Used under _moving, as is each checkpoint of the writer's connection.
    readonly TimeSpan _busyTimeout;
    readonly int _targetPages;
    readonly Lock _moving = new();
    bool _isClosed;                     // Under _moving.
    Task _pass = Task.CompletedTask;
    int _passEnd;                       // The size of the log when the last pass was started, or 0 if its outcome has been handled.
    int _passMoved;                     // Written by the pass, read when the pass has ended.
    int _logPages;
    Durability _durability;             // The durability of the last commit.
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
        // Disable SQLite's automatic checkpoints, and shrink a log file that has grown large during a long snapshot.
        writer.Execute("PRAGMA wal_autocheckpoint = 0");
        writer.Execute($"PRAGMA journal_size_limit = {WaitFactor * options.CheckpointBytes}");
        // A connection does not know about the log until it has read something.
        mover.QueryInteger("PRAGMA user_version");
        // Takes the place of the automatic checkpoint, which uses the same hook.
        writer.CountLogPages();
        Begin();
    }

    /// <summary>
    /// Gets whether snapshots have held up a checkpoint, which should therefore run when there are none. Can be read by any thread.
    /// </summary>
    public bool IsDue => _isDue;

    bool IsMoving => !_pass.IsCompleted;

    // For a flushed commit, extending the log costs more than overwriting it.
    bool MayRestart => _durability == Durability.Flushed || _logPages >= RestartFactor * _targetPages;

    bool IsRestSmall => _logPages - _passMoved <= _targetPages / RestDivisor;

    /// <summary>Prepares a commit: allows it to restart the log if the last pass has moved all of it.</summary>
    public void BeforeCommit()
    {
        if (_passEnd > 0 && !IsMoving && _passMoved == _logPages)
            _pin.End();
    }

    /// <summary>Completes a commit: takes the next step that is due. It waits for the disk or for snapshots only if it must.</summary>
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

    /// <summary>Runs an overdue checkpoint. The caller ensures that the snapshots that held it up are gone.</summary>
    public void OnUnhindered()
    {
        if (!_isDue)
            return;
        if (MayRestart && IsRestSmall)
            MoveRest();
        else if (!IsMoving)
            StartPass();
    }

    /// <summary>Moves the whole log and truncates its file, now or as soon as no snapshot needs it.</summary>
    public void Truncate()
    {
        _pin.End();
        lock (_moving)
            _isDue = !TryWithReaderTimeout(raw.SQLITE_CHECKPOINT_TRUNCATE, out _);
    }

    /// <summary>Waits for the current pass and closes its connection. There must be no further commits.</summary>
    public async ValueTask DisposeAsync()
    {
        lock (_moving)
            _isClosed = true;
        await _pass.ConfigureAwait(false);
        _mover.Dispose();
    }

    /// <summary>Resets the state for a log that has restarted from empty.</summary>
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
            StepLater(isHeldUp: true);
        else if (MayRestart && IsRestSmall)
            MoveRest();
        else
            StartPass();
    }

    void StepLater(bool isHeldUp)
    {
        _passEnd = 0;
        _nextStepAt = _logPages + _targetPages;
        _isDue = isHeldUp;
    }

    void StartPass()
    {
        // Otherwise the pass could move only what the pinned reader sees.
        _pin.End();
        _isDue = false;
        _passEnd = _logPages;
        _nextStepAt = MayRestart ? _logPages : _logPages + _targetPages;
        // The pass spends its time waiting for the disk, which would block a thread of the pool.
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

    /// <summary>Moves what the last pass left, so that the next commit restarts the log unless a snapshot reads from it.</summary>
    void MoveRest()
    {
        _pin.End();
        lock (_moving)
            StepLater(isHeldUp: !_writer.TryCheckpoint(raw.SQLITE_CHECKPOINT_PASSIVE, out _, out _passMoved));
    }

    /// <summary>
    /// Moves as much as possible and then waits briefly for the open snapshots. Snapshots opened meanwhile read only from the file. If a
    /// snapshot stays open longer, the log grows, and the next wait comes only when the log has grown by the same amount again.
    /// </summary>
    void Restart()
    {
        MoveRest();
        lock (_moving)
        {
            bool isRestarted = TryWithReaderTimeout(raw.SQLITE_CHECKPOINT_RESTART, out int logPages);
            _isDue = !isRestarted;
            _waitAt = WaitFactor * _targetPages + (isRestarted ? 0 : logPages);
        }
    }

    bool TryWithReaderTimeout(int mode, out int logPages)
    {
        _writer.BusyTimeout = ReaderTimeout;
        bool isDone = _writer.TryCheckpoint(mode, out logPages, out _passMoved);
        _writer.BusyTimeout = _busyTimeout;
        return isDone;
    }
}
