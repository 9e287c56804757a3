// Loads the console and says so when it cannot.
import init, { start } from './console.js';

const portuguese = (localStorage.getItem('meshwatt.language') ?? navigator.language).startsWith('pt');
const say = (english, pt) => { document.getElementById('boot-text').textContent = portuguese ? pt : english; };
if (localStorage.getItem('meshwatt.theme') === 'dark') document.documentElement.style.background = document.body.style.background = '#0f1419';
try {
  await init({ module_or_path: 'console_bg.wasm' });
  await start(document.getElementById('console'), document.getElementById('mirror'));
  document.getElementById('boot').remove();
  document.documentElement.dataset.ready = 'true';
} catch (error) {
  console.error(error);
  say('The console cannot start in this browser. It needs WebGL: update the browser or switch on hardware acceleration.',
      'A consola não consegue iniciar neste navegador. É preciso WebGL: atualize o navegador ou ligue a aceleração gráfica.');
}
