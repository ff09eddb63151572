using Storefront.Entities;

namespace Storefront.Services;

public sealed record CatalogLine(string Name, string Brand, string Type, decimal Price);

public sealed record CatalogPage(int Total, IReadOnlyList<CatalogLine> Lines);

public sealed record BrandCount(string Brand, int Items);

public sealed class CatalogService(StorefrontContext db)
{
    public async Task<CatalogPage> GetPageAsync(int page, int size, long? brandId, long? typeId, CancellationToken cancellationToken)
    {
        var items = db.CatalogItems.Where(
            item => (!brandId.HasValue || item.CatalogBrandId == brandId) && (!typeId.HasValue || item.CatalogTypeId == typeId));
        int total = await items.CountAsync(cancellationToken);
        var shown = await items
            .OrderBy(item => item.Name)
            .Skip(page * size)
            .Take(size)
            .Include(item => item.CatalogBrand)
            .Include(item => item.CatalogType)
            .AsNoTracking()
            .ToListAsync(cancellationToken);
        return new CatalogPage(total, [.. shown.Select(item => new CatalogLine(item.Name, item.CatalogBrand!.Brand, item.CatalogType!.Type, item.Price))]);
    }

    public async Task<IReadOnlyList<string>> SearchAsync(string term, CancellationToken cancellationToken) => await db.CatalogItems
        .Where(item => item.Name.Contains(term) || item.CatalogBrand!.Brand.StartsWith(term))
        .OrderByDescending(item => item.Name)
        .Select(item => item.Name)
        .ToListAsync(cancellationToken);

    public async Task<IReadOnlyList<BrandCount>> CountByBrandAsync(CancellationToken cancellationToken)
    {
        var counts = from item in db.CatalogItems
                     join brand in db.CatalogBrands on item.CatalogBrandId equals brand.Id
                     group item by brand.Brand into items
                     orderby items.Key
                     select new { Brand = items.Key, Items = items.Count() };
        return [.. (await counts.ToListAsync(cancellationToken)).Select(count => new BrandCount(count.Brand, count.Items))];
    }

    /// <returns>False if an item of this name already exists.</returns>
    public async Task<bool> AddAsync(CatalogItem item, CancellationToken cancellationToken)
    {
        if (await db.CatalogItems.AnyAsync(known => known.Name == item.Name, cancellationToken))
            return false;
        db.CatalogItems.Add(item);
        await db.SaveChangesAsync(cancellationToken);
        item.UpdatePictureUri($"{item.Name}.png");
        await db.SaveChangesAsync(cancellationToken);
        return true;
    }

    public async Task<bool> UpdateAsync(string name, string newName, string description, decimal price, long brandId, CancellationToken cancellationToken)
    {
        if (await db.CatalogItems.SingleOrDefaultAsync(item => item.Name == name, cancellationToken) is not { } found)
            return false;
        found.UpdateDetails(newName, description, price);
        found.UpdateBrand(brandId);
        return await db.SaveChangesAsync(cancellationToken) == 1;
    }

    public async Task<bool> DeleteAsync(string name, CancellationToken cancellationToken)
    {
        if (await db.CatalogItems.FirstOrDefaultAsync(item => item.Name == name, cancellationToken) is not { } found)
            return false;
        db.CatalogItems.Remove(found);
        return await db.SaveChangesAsync(cancellationToken) == 1;
    }
}
