using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Datacake.EventualConsistency.Tests;

/// <summary>Keeps what is logged.</summary>
sealed class CollectingLog : ILoggerFactory, ILogger
{
    public ConcurrentQueue<string> Messages { get; } = [];

    /// <summary>Called with each message first.</summary>
    public Action<string> Logging { get; set; } = _ => { };

    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException("There is only this one.");

    public bool IsEnabled(LogLevel logLevel) => true;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        string message = formatter(state, exception);
        Logging(message);
        Messages.Enqueue(message);
    }

    public void Dispose()
    {
    }
}
