using Datacake.Data;

namespace Datacake.Chain;

/// <summary>Prints a label for the shelf whenever a price has changed: a durable consumer of the catalog, which continues where it was after a restart.</summary>
/// <param name="contexts">Creates contexts of the catalog.</param>
/// <param name="shop">The number of the shop. Each shop is a consumer of its own.</param>
/// <param name="path">The path of the file that stands for the printer.</param>
sealed class LabelPrinter(IDatacakeContextFactory<CatalogContext> contexts, int shop, string path) : BackgroundService
{
    /// <summary>The name of the file with the labels.</summary>
    public const string File = "labels.txt";

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await using var db = contexts.CreateContext();
        await db.Articles.ConsumeAsync($"labels/{shop}", PrintAsync, cancellationToken: stoppingToken);
    }

    // A label may be printed twice after a crash, but none is left out.
    Task PrintAsync(ConsumedBatch<Article> batch, CancellationToken token) =>
        System.IO.File.AppendAllLinesAsync(path, batch.Changes.Select(static change => change.After).OfType<Article>().Select(static article => FormattableString.Invariant($"{article.Name} {article.Price:0.00}")), token);
}
