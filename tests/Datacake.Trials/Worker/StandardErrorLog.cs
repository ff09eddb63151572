using System.Globalization;
using Microsoft.Extensions.Logging;

namespace Datacake.Trials.Worker;

/// <summary>A log that writes the node's messages, from level Information, to the standard error stream, which the driver keeps in a file.</summary>
sealed class StandardErrorLog : ILoggerFactory
{
    public ILogger CreateLogger(string categoryName) => new Category(categoryName[(categoryName.LastIndexOf('.') + 1)..]);

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException("The log supports no other providers. It writes to the standard error stream only.");

    public void Dispose()
    {
    }

    sealed class Category(string name) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
            {
                Console.Error.WriteLine(string.Create(
                    CultureInfo.InvariantCulture, $"{DateTime.UtcNow:HH:mm:ss.fff} {logLevel} {name}: {formatter(state, exception)} {exception?.Message}"));
            }
        }
    }
}
