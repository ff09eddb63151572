using System.Globalization;

namespace Datacake.Quickstart;

/// <summary>The records that the .NET runtime knows, as plain objects. The scenario compares the nodes' data with them.</summary>
/// <param name="Regions">The regions, from the operating system's ICU.</param>
/// <param name="Cultures">The cultures, from the operating system's ICU.</param>
/// <param name="Zones">The time zones, from the operating system's tz database.</param>
/// <param name="Caveats">Descriptions of the data that this machine lacks.</param>
sealed record World(IReadOnlyList<Region> Regions, IReadOnlyList<Culture> Cultures, IReadOnlyList<Zone> Zones, IReadOnlyList<string> Caveats)
{
    public int Count => Regions.Count + Cultures.Count + Zones.Count;

    public static World Read()
    {
        var caveats = new List<string>();
        var cultures = CultureInfo.GetCultures(CultureTypes.AllCultures).Where(culture => culture.Name.Length > 0).ToList();
        var regions = RegionsOf(cultures);
        if (regions.Count == 0)
        {
            regions = [.. WithoutIcu()];
            caveats.Add($".NET runs in its globalization-invariant mode here and knows no cultures: {regions.Count} built-in regions are used instead.");
        }
        var zones = TimeZoneInfo.GetSystemTimeZones();
        if (zones.Count < 2)
            caveats.Add("This machine has no tz database: .NET knows no time zone but UTC.");
        return new World(regions, [.. cultures.Select(ToCulture)], [.. zones.Select(ToZone)], caveats);
    }

    static List<Region> RegionsOf(IEnumerable<CultureInfo> cultures)
    {
        var regions = new Dictionary<string, Region>();
        foreach (var culture in cultures.Where(culture => !culture.IsNeutralCulture))
        {
            var info = new RegionInfo(culture.Name);
            string id = info.TwoLetterISORegionName;
            // Numeric codes stand for continents.
            if (!id.All(char.IsAsciiLetterUpper))
                continue;
            if (!regions.TryGetValue(id, out var region))
                regions.Add(id, region = ToRegion(info));
            region.Languages.Add(culture.TwoLetterISOLanguageName);
        }
        return [.. regions.Values.OrderBy(region => region.Id, StringComparer.Ordinal)];
    }

    static Region ToRegion(RegionInfo info) => new()
    {
        Id = info.TwoLetterISORegionName,
        Name = info.EnglishName,
        NativeName = info.NativeName,
        Currency = info.ISOCurrencySymbol,
        CurrencyName = info.CurrencyEnglishName,
        CurrencySymbol = info.CurrencySymbol,
        IsMetric = info.IsMetric,
    };

    static Culture ToCulture(CultureInfo info)
    {
        var region = info.IsNeutralCulture ? null : new RegionInfo(info.Name);
        return new Culture
        {
            Id = info.Name,
            Name = info.EnglishName,
            NativeName = info.NativeName,
            Language = info.TwoLetterISOLanguageName,
            Region = region?.TwoLetterISORegionName,
            Currency = region?.ISOCurrencySymbol,
            FirstDayOfWeek = info.DateTimeFormat.FirstDayOfWeek,
            Numbers = new NumberStyle
            {
                DecimalSeparator = info.NumberFormat.NumberDecimalSeparator,
                GroupSeparator = info.NumberFormat.NumberGroupSeparator,
            },
        };
    }

    static Zone ToZone(TimeZoneInfo info) => new()
    {
        Id = info.Id,
        Name = info.StandardName,
        Offset = info.BaseUtcOffset,
        HasDaylightSaving = info.SupportsDaylightSavingTime,
    };

    static IEnumerable<Region> WithoutIcu() =>
    [
        new() { Id = "CL", Name = "Chile", Currency = "CLP", CurrencyName = "Chilean Peso", IsMetric = true, Languages = ["es"] },
        new() { Id = "DE", Name = "Germany", Currency = "EUR", CurrencyName = "Euro", IsMetric = true, Languages = ["de"] },
        new() { Id = "FR", Name = "France", Currency = "EUR", CurrencyName = "Euro", IsMetric = true, Languages = ["fr"] },
        new() { Id = "JP", Name = "Japan", Currency = "JPY", CurrencyName = "Japanese Yen", IsMetric = true, Languages = ["ja"] },
        new() { Id = "KE", Name = "Kenya", Currency = "KES", CurrencyName = "Kenyan Shilling", IsMetric = true, Languages = ["en", "sw"] },
        new() { Id = "NZ", Name = "New Zealand", Currency = "NZD", CurrencyName = "New Zealand Dollar", IsMetric = true, Languages = ["en", "mi"] },
        new() { Id = "UM", Name = "U.S. Outlying Islands", Currency = "USD", CurrencyName = "US Dollar", Languages = ["en"] },
        new() { Id = "US", Name = "United States", Currency = "USD", CurrencyName = "US Dollar", Languages = ["en", "es"] },
    ];
}
