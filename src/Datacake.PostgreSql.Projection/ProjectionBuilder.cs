using Datacake.Data;
using Datacake.PostgreSql.Projection.Tables;

namespace Datacake.PostgreSql.Projection;

/// <summary>The choice of the keyspaces to project, and of how to do it.</summary>
/// <typeparam name="TContext">The context class.</typeparam>
public sealed class ProjectionBuilder<TContext>
    where TContext : DatacakeContext
{
    static readonly TimeSpan LongestDelay = TimeSpan.FromDays(1);

    internal ProjectionBuilder()
    {
    }

    internal List<Func<TContext, ProjectionSettings, ProjectionPart>> Parts { get; } = [];

    internal ProjectionSettings Settings { get; } = new();

    /// <summary>
    /// Projects a keyspace into a table: <c>Table(db =&gt; db.Orders)</c>. Its name is that of the keyspace in lower case, with underscores between the words.
    /// </summary>
    /// <param name="keyspace">Returns the keyspace of a context.</param>
    /// <param name="configure">Chooses names, types and columns; null for the defaults.</param>
    public ProjectionBuilder<TContext> Table<T>(Func<TContext, Keyspace<T>> keyspace, Action<TableBuilder<T>>? configure = null)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(keyspace);
        var choices = new TableChoices();
        configure?.Invoke(new TableBuilder<T>(choices));
        Parts.Add((context, settings) => ProjectionPart.Create(keyspace(context), choices, settings));
        return this;
    }

    /// <summary>
    /// Sets the name of the projection, which all nodes that may run it share. Projections of different names are independent. Default: <c>projection</c>.
    /// </summary>
    public ProjectionBuilder<TContext> Name(string name)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        Settings.Name = name;
        return this;
    }

    /// <summary>Sets the schema of the tables, which is created if it is missing. Default: <c>public</c>.</summary>
    /// <exception cref="ArgumentException">The name is empty or too long.</exception>
    public ProjectionBuilder<TContext> Schema(string schema)
    {
        Settings.Schema = SqlName.Check(schema);
        return this;
    }

    /// <summary>Sets the receiver of the progress of loads. It is called on the thread that loads, and slows it down if it is slow.</summary>
    public ProjectionBuilder<TContext> Progress(IProgress<ProjectionProgress> progress)
    {
        ArgumentNullException.ThrowIfNull(progress);
        Settings.Progress = progress;
        return this;
    }

    /// <summary>Sets the time after which another node takes over a table from a node that has failed, from 100 ms to one day. Default: 5 s.</summary>
    public ProjectionBuilder<TContext> LeaseDuration(TimeSpan duration)
    {
        Settings.LeaseDuration = duration;
        return this;
    }

    /// <summary>Sets the maximum delay before a failed transaction or connection is retried. The first retry is after at most 200 ms, and each further delay is twice as long. Default: 10 s.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The delay is not positive, or longer than one day.</exception>
    public ProjectionBuilder<TContext> MaxRetryDelay(TimeSpan delay)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(delay, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(delay, LongestDelay);
        Settings.MaxRetryDelay = delay;
        return this;
    }
}
