using Datacake.Data;

namespace Datacake.PostgreSql.Projection;

/// <summary>
/// Live tables of keyspaces in a PostgreSQL database, for reports and other SQL tools. Rows and position are written in one transaction, so that a change is in the tables exactly once, whatever
/// fails. Of all nodes that run a projection of a name, one keeps each table; another takes over when it fails.
/// </summary>
public sealed class PostgreSqlProjection : IAsyncDisposable
{
    readonly CancellationTokenSource _ending = new();
    readonly DatacakeContext _context;
    readonly ProjectionPart[] _parts;
    readonly Task _running;

    PostgreSqlProjection(DatacakeContext context, ProjectionPart[] parts)
    {
        (_context, _parts) = (context, parts);
        _running = Task.WhenAll(parts.Select(part => Task.Run(() => part.RunAsync(_ending.Token))));
    }

    /// <summary>Gets the status of each table, in the order in which they were chosen.</summary>
    public IReadOnlyList<ProjectionStatus> Status => [.. _parts.Select(static part => part.Status.Current)];

    /// <summary>
    /// Starts a projection, which runs until it is disposed of: <c>StartAsync(() =&gt; new ShopContext(node), connectionString, p =&gt; p.Table(db =&gt; db.Orders))</c>. The database need not be reachable
    /// yet.
    /// </summary>
    /// <param name="createContext">Creates a context, which the projection keeps and disposes of.</param>
    /// <param name="connectionString">The connection string of Npgsql. The user needs the right to create tables in the schema.</param>
    /// <param name="configure">Chooses the keyspaces.</param>
    /// <param name="cancellationToken">Cancels the start.</param>
    /// <exception cref="ArgumentException">The connection string is malformed, no table is chosen, or a choice is invalid.</exception>
    public static async Task<PostgreSqlProjection> StartAsync<TContext>(
        Func<TContext> createContext, string connectionString, Action<ProjectionBuilder<TContext>> configure, CancellationToken cancellationToken = default)
        where TContext : DatacakeContext
    {
        ArgumentNullException.ThrowIfNull(createContext);
        ArgumentException.ThrowIfNullOrWhiteSpace(connectionString);
        ArgumentNullException.ThrowIfNull(configure);
        var builder = new ProjectionBuilder<TContext>();
        configure(builder);
        builder.Settings.ConnectionString = connectionString;
        var context = createContext();
        try
        {
            ProjectionPart[] parts = [.. builder.Parts.Select(create => create(context, builder.Settings))];
            if (parts.Length == 0)
                throw new ArgumentException("The projection has no tables. Choose keyspaces with Table(db => db.Orders).", nameof(configure));
            var names = parts.SelectMany(static part => part.Table.Children.Select(static child => child.Name).Append(part.Table.Name));
            if (names.GroupBy(static name => name).FirstOrDefault(static same => same.Count() > 1) is { } repeated)
                throw new ArgumentException($"The projection has several tables '{repeated.Key}'. Name one of them with Table(db => …, t => t.Name(…)).", nameof(configure));
            await context.GetStoreAsync(cancellationToken).ConfigureAwait(false);
            return new PostgreSqlProjection(context, parts);
        }
        catch
        {
            await context.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Stops keeping the tables on this node. Another node continues at once.</summary>
    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(false);
        foreach (var part in _parts)
            await part.Target.DisposeAsync().ConfigureAwait(false);
        await _context.DisposeAsync().ConfigureAwait(false);
    }
}
