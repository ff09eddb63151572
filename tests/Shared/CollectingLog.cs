using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Datacake.Tests;

/// <summary>A log that keeps all messages of all levels and categories.</summary>
sealed class CollectingLog : ILoggerFactory, ILogger
{
    public ConcurrentQueue<string> Messages { get; } = [];

    /// <summary>Gets the messages that were logged with an exception, and the exceptions.</summary>
    public ConcurrentQueue<(string Message, Exception Exception)> Exceptions { get; } = [];

    /// <summary>Gets or sets the callback that receives each message before it is kept.</summary>
    public Action<string> Logging { get; set; } = _ => { };

    public bool Contains(string text) => Count(text) > 0;

    public int Count(string text) => Messages.Count(message => message.Contains(text, StringComparison.Ordinal));

    /// <summary>Waits until the log has a message that contains all the given texts.</summary>
    public Task WaitUntilAsync(params string[] texts) => Eventually.WaitUntilAsync(
        () => Messages.Any(message => texts.All(text => message.Contains(text, StringComparison.Ordinal))),
        () => $"'{string.Join("' and '", texts)}' is logged, but: {string.Join(Environment.NewLine, Messages)}");

    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider)
    {
    }

    public bool IsEnabled(LogLevel logLevel) => true;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        string message = formatter(state, exception);
        Logging(message);
        if (exception is not null)
            Exceptions.Enqueue((message, exception));
        Messages.Enqueue(message);
    }

    public void Dispose()
    {
    }
}
