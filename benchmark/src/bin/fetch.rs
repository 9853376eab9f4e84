//! `fetch --url http://127.0.0.1:PORT/repos --connections 4 --folder DIR`: saves every page of a resource to a file of its own.
//!
//! It is the first half of the floor: what a user with a good HTTP client does before `read_json`. Prints the number of pages and the seconds it took,
//! as JSON.

use reqwest::Client;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::Arc;
use std::time::Instant;
use unify_benchmark::{flags, pages};

type Failure = Box<dyn Error + Send + Sync>;

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<(), Failure> {
    let url: String = flags::value_of("--url", "http://127.0.0.1:8900/repos".to_string());
    let n_connections: usize = flags::value_of("--connections", 4);
    let folder = PathBuf::from(flags::value_of("--folder", "pages".to_string()));
    std::fs::create_dir_all(&folder)?;
    let client = Client::builder().http1_only().tcp_nodelay(true).pool_max_idle_per_host(n_connections).build()?;
    let began = Instant::now();
    let n_pages = save_page(&client, &url, 1, &folder).await?.unwrap_or(1);
    let next_page = Arc::new(AtomicUsize::new(2));
    let tasks: Vec<_> = (0..n_connections)
        .map(|_| {
            let (client, url, folder, next_page) = (client.clone(), url.clone(), folder.clone(), next_page.clone());
            tokio::spawn(async move {
                loop {
                    match next_page.fetch_add(1, Relaxed) {
                        page if page > n_pages => return Ok::<(), Failure>(()),
                        page => save_page(&client, &url, page, &folder).await?,
                    };
                }
            })
        })
        .collect();
    for task in tasks {
        task.await??;
    }
    println!("{{\"pages\": {n_pages}, \"statement\": {}}}", began.elapsed().as_secs_f64());
    Ok(())
}

/// Saves one page; returns the number of the last page where the answer names it.
async fn save_page(client: &Client, url: &str, page: usize, folder: &Path) -> Result<Option<usize>, Failure> {
    let response = client.get(format!("{url}?page={page}&per_page={}", pages::PAGE_SIZE)).send().await?.error_for_status()?;
    let link = response.headers().get("link").and_then(|link| link.to_str().ok());
    let last_page = link.and_then(pages::last_page);
    std::fs::write(folder.join(format!("{page:07}.json")), response.bytes().await?)?;
    Ok(last_page)
}
