using Microsoft.Extensions.Logging;

namespace Datacake.Administration;

/// <summary>The last log lines of Datacake, kept in memory. Thread-safe.</summary>
sealed class LogBuffer(int capacity, TimeProvider time) : ILoggerProvider
{
    readonly Lock _lock = new();
    readonly Queue<(LogLevel Level, LogLine Line)> _lines = [];

    /// <summary>Returns the newest lines of at least a level, the oldest of them first; of a named store, only its own lines.</summary>
    public IReadOnlyList<LogLine> Read(int count, LogLevel level, string store)
    {
        string end = store.Length > 0 ? $"[{store}]" : "";
        lock (_lock)
            return [.. _lines.Where(entry => entry.Level >= level && entry.Line.Category.EndsWith(end, StringComparison.Ordinal)).Select(static entry => entry.Line).TakeLast(count)];
    }

    public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName);

    public void Dispose()
    {
    }

    void Add(LogLevel level, LogLine line)
    {
        lock (_lock)
        {
            _lines.Enqueue((level, line));
            while (_lines.Count > capacity)
                _lines.Dequeue();
        }
    }

    sealed class Logger(LogBuffer buffer, string category) : ILogger
    {
        readonly bool _isOurs = category.StartsWith("Datacake.", StringComparison.Ordinal);

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => _isOurs && logLevel is >= LogLevel.Information and < LogLevel.None;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
                buffer.Add(logLevel, new LogLine(buffer.Now, logLevel.ToString(), category, eventId.Id, formatter(state, exception), exception?.ToString()));
        }
    }

    DateTimeOffset Now => time.GetUtcNow();
}
