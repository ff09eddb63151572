-- The revenue by shop and article. Each shop's sales are a store of their own, and so a table.
SELECT sale.shop, coalesce(article.name, 'article ' || sale.article_id) AS article, sum(sale.quantity) AS sold, sum(sale.quantity * sale.price) AS revenue
FROM (
    SELECT * FROM chain.sales_1
    UNION ALL SELECT * FROM chain.sales_2
    UNION ALL SELECT * FROM chain.sales_3
) AS sale
LEFT JOIN chain.articles AS article ON article.id = sale.article_id
GROUP BY 1, 2
ORDER BY 1, 2
