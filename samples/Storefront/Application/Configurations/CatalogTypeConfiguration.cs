using Storefront.Entities;

namespace Storefront.Configurations;

sealed class CatalogTypeConfiguration : IEntityTypeConfiguration<CatalogType>
{
    public void Configure(EntityTypeBuilder<CatalogType> builder)
    {
        builder.Property(type => type.Type).IsRequired().HasMaxLength(100);
        builder.HasData(new CatalogType(1, "Mug"), new CatalogType(2, "Shirt"));
    }
}
